/**
 * Parses a name of DNS as the target of `explain`: `api.example.com tcp/443`, `api.example.com:443`, `api.example.com`.
 */
import { UsageError } from '../common/errors.ts';
import type { Name } from '../dns/name.ts';
import { hostNameFault, mayBeHostName, serviceFault } from '../net/host-name.ts';
import { notARule } from '../policy/common-mistakes.ts';
import { nameMistake } from '../policy/name-mistakes.ts';
import { type NameRule, parseNameRule } from '../policy/name-rule.ts';
import type { AskedName } from './explain-names.ts';

export type NameTarget =
  | { readonly kind: 'name'; readonly asked: AskedName }
  /** Without a port. */
  | { readonly kind: 'names'; readonly name: Name };

/** Undefined for what is meant as something else. Throws a `UsageError` for a name that is none. */
export const parseNameTarget = (word: string, traffic: string | undefined): NameTarget | undefined => {
  const mistake = notARule(word) ?? nameMistake(word);
  if (mistake !== undefined) throw new UsageError(mistake);
  const [, host = '', rest = traffic] = /^([^:]+)(?::(.+))?$/.exec(word) ?? [];
  if (rest === undefined)
    return isName(word) || hasStar(word)
      ? { kind: 'names', name: nameOf(`${word}:tcp/1`, word).name }
      : undefined;
  if (!/\d/.test(rest) || !isMeant(host)) return undefined;
  const text = `${host}:${/^\d+$/.test(rest) ? 'tcp/' : ''}${rest}`;
  const { name, protocol, ranges } = nameOf(text, word);
  const [range] = ranges;
  if (range === undefined || range.first !== range.last || ranges.length > 1)
    throw new UsageError(`expected one port, as in ${protocol}/443, got "${rest}"`);
  return { kind: 'name', asked: { name, protocol, port: range.first } };
};

const isName = (word: string): boolean =>
  hostNameFault(word) !== undefined && serviceFault(word) === undefined;

const hasStar = (word: string): boolean => /^\*{1,2}\.\p{L}/u.test(word);

/** A service with a tag has one dot, unless the tag has more. */
const isMeant = (host: string): boolean =>
  serviceFault(host) === undefined &&
  /\p{L}/u.test(host) &&
  (mayBeHostName(host) ||
    host.split('.').length > 2 ||
    host.includes('*') ||
    // Another script than that of names.
    (host.includes('.') && /[^\0-\x7f]/.test(host)));

const nameOf = (text: string, word: string): NameRule => {
  const parsed = parseNameRule(text);
  if (parsed === undefined) throw new UsageError(`expected a name with a port, got "${word}"`);
  if ('reason' in parsed) throw new UsageError(parsed.reason);
  if (parsed.rule.depth !== 'self' || parsed.rule.prefixes.length > 0)
    throw new UsageError(
      `expected one name, without a star and without "@", got "${word}"; ask about a name that the rule covers`,
    );
  return parsed.rule;
};
