/**
 * Parses a name of DNS as the target of `explain`: `api.example.com tcp/443`, `api.example.com:443`, `api.example.com`.
 */
import { UsageError } from '../common/errors.ts';
import type { Name } from '../dns/name.ts';
import { hostNameFault, mayBeHostName, serviceFault } from '../net/host-name.ts';
import { type NameRule, parseNameRule } from '../policy/name-rule.ts';
import type { AskedName } from './explain-names.ts';

export type NameTarget =
  | { readonly kind: 'name'; readonly asked: AskedName }
  /** Without a port. */
  | { readonly kind: 'names'; readonly name: Name };

/** Undefined for what is meant as something else. Throws a `UsageError` for a name that is none. */
export const parseNameTarget = (word: string, traffic: string | undefined): NameTarget | undefined => {
  const [, host = '', rest = traffic] = /^([^:]+)(?::(.+))?$/.exec(word) ?? [];
  if (rest === undefined)
    return isName(word) ? { kind: 'names', name: nameOf(`${word}:tcp/1`).name } : undefined;
  if (!/\d/.test(rest) || !isMeant(host)) return undefined;
  const text = `${host}:${/^\d+$/.test(rest) ? 'tcp/' : ''}${rest}`;
  const { name, protocol, ranges } = nameOf(text);
  const [range] = ranges;
  if (range === undefined || range.first !== range.last || ranges.length > 1)
    throw new UsageError(`expected one port, as in ${protocol}/443, got "${rest}"`);
  return { kind: 'name', asked: { name, protocol, port: range.first } };
};

const isName = (word: string): boolean =>
  hostNameFault(word) !== undefined && serviceFault(word) === undefined;

/** A service with a tag has one dot, unless the tag has more. */
const isMeant = (host: string): boolean =>
  serviceFault(host) === undefined &&
  /\p{L}/u.test(host) &&
  (mayBeHostName(host) || host.split('.').length > 2 || host.includes('*'));

const nameOf = (text: string): NameRule => {
  const parsed = parseNameRule(text);
  if (parsed === undefined) throw new UsageError(`expected a name with a port, got "${text}"`);
  if ('reason' in parsed) throw new UsageError(parsed.reason);
  if (parsed.rule.depth !== 'self' || parsed.rule.prefixes.length > 0)
    throw new UsageError(`expected one name, without a star and without "@", got "${text}"`);
  return parsed.rule;
};
