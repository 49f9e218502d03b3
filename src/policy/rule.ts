/**
 * The grammar of one rule: a line of an ACL key's value.
 *
 * `10.50.128.0/24:tcp/80,443,8000-8100` names addresses, `production.postgresql@dc2:udp` names a
 * service of Consul's catalog. Where rules say who may call, a service has ports: `prometheus:tcp/9100`. Parsing never
 * throws and never guesses: a line is a rule or a problem.
 *
 * `api.example.com:tcp/443` names a host of DNS: a rule by name, which says what a workload may reach, and never who may
 * call. Whether it grants anything is for its namespace to say.
 */

import type { Direction } from '../common/direction.ts';
import type { Problem } from '../common/problem.ts';
import { atOnce, type Steps } from '../common/slices.ts';
import { printable, quote } from '../common/text.ts';
import { type AddressRule, formatAddressRule, parseAddressRule } from './address-rule.ts';
import { commonMistake } from './common-mistakes.ts';
import { nameMistake } from './name-mistakes.ts';
import { formatNameRule, type NameRule, parseNameRule } from './name-rule.ts';
import { formatServiceRule, nameAndProtocol, parseServiceRule, type ServiceRule } from './service-rule.ts';
import { formatTraffic } from './traffic.ts';

export type { Range } from '../net/ranges.ts';
export type { AddressRule } from './address-rule.ts';
export type { NameRule } from './name-rule.ts';
export type { ServiceRule } from './service-rule.ts';

export type Rule = AddressRule | ServiceRule | NameRule;

/** A rule with its warnings, or the reason why the line is not a rule. */
export type ParsedRule =
  | { readonly rule: Rule; readonly warnings: readonly string[] }
  | { readonly reason: string };

/** A good line: its number from 1, and its text as written, made safe to show. */
export interface RuleLine {
  readonly line: number;
  readonly text: string;
  readonly rule: Rule;
}

export interface ParsedRules {
  readonly rules: readonly RuleLine[];
  readonly problems: readonly Problem[];
}

/**
 * Lines of one key that are read; the rest is a problem. Consul keeps 512 KiB in a key unless told
 * otherwise, which holds fewer rules than this.
 */
export const MOST_LINES = 100_000;

/** Reads a key's value line by line: the good lines apply, each bad one is a problem. */
export const parseRules = (key: string, text: string, direction: Direction = 'egress'): ParsedRules =>
  atOnce(parsingRules(key, text, direction));

/** The same in steps. */
export function* parsingRules(
  key: string,
  text: string,
  direction: Direction = 'egress',
): Steps<ParsedRules> {
  const rules: RuleLine[] = [];
  const problems: Problem[] = [];
  const lines = text.split(/\r\n?|\n/, MOST_LINES + 1);
  for (const [index, content] of lines.slice(0, MOST_LINES).entries()) {
    yield;
    const parsed = parseRule(content, direction);
    if (parsed === undefined) continue;
    const where = { line: index + 1, text: printable(content.trim()) };
    if ('rule' in parsed) rules.push({ ...where, rule: parsed.rule });
    problems.push(...problemsOf(parsed).map((problem) => ({ ...problem, key, ...where })));
  }
  return { rules, problems: lines.length > MOST_LINES ? [...problems, tooLong(key)] : problems };
}

/** One line; undefined where it is blank or a comment. */
export const parseRule = (line: string, direction: Direction = 'egress'): ParsedRule | undefined => {
  const text = withoutComment(line);
  if (text === '') return undefined;
  const parse = direction === 'egress' ? parseEgress : parseIngress;
  const parsed = parse(text);
  return 'rule' in parsed ? parsed : { reason: gluedComment(text, parse) ?? parsed.reason };
};

type Parse = (text: string) => ParsedRule;

const parseEgress: Parse = (text) => {
  const parsed = parseNameRule(text);
  if (parsed === undefined) return parseOther(text, 'egress');
  const reason = nameMistake(text) ?? unreadable(text);
  return reason === undefined ? parsed : { reason };
};

const parseIngress: Parse = (text) => {
  const parsed = parseOther(text, 'ingress');
  if ('rule' in parsed) return parsed;
  const byName = parseNameRule(text);
  return byName !== undefined && 'rule' in byName ? { reason: notByName(text, byName.rule) } : parsed;
};

const notByName = (text: string, rule: NameRule): string =>
  `expected an address or a service, got the name ${quote(text)}: rules by name say what a workload may reach, and not who may call; write the addresses of the callers, as in 192.0.2.7:${formatTraffic(rule)}`;

const parseOther = (text: string, direction: Direction): ParsedRule => {
  const reason = commonMistake(text) ?? unreadable(text);
  if (reason !== undefined) return { reason };
  return looksLikeAddress(text) ? parseAddressRule(text) : parseServiceRule(text, direction);
};

/** The reason for a rule with a comment directly after it: a tag may contain a "#". */
const gluedComment = (text: string, parse: Parse): string | undefined => {
  const hash = text.indexOf('#');
  const rule = text.slice(0, Math.max(hash, 0));
  if (rule === '' || rule.length > MOST_GLUED || !('rule' in parse(rule))) return undefined;
  return `expected a space before a comment, got ${quote(text)}; write ${quote(`${rule} ${text.slice(hash)}`)}`;
};

/** The longest rule that the message repeats. */
const MOST_GLUED = 60;

const unreadable = (text: string): string | undefined => {
  if (/\s/.test(text)) return `expected one rule without spaces inside, got ${quote(text)}`;
  return /\p{C}/u.test(text) ? `expected visible characters only, got ${quote(text)}` : undefined;
};

/** The text that `parseRule` parses to the same rule. */
export const formatRule = (rule: Rule): string => {
  if (rule.kind === 'name') return formatNameRule(rule);
  return rule.kind === 'service' ? formatServiceRule(rule) : formatAddressRule(rule);
};

const problemsOf = (parsed: ParsedRule): readonly Problem[] =>
  'reason' in parsed
    ? [{ severity: 'error', reason: parsed.reason }]
    : parsed.warnings.map((reason) => ({ severity: 'warning', reason }));

const tooLong = (key: string): Problem => ({
  severity: 'error',
  key,
  line: MOST_LINES + 1,
  reason: `expected at most ${MOST_LINES} lines in a key, got more; those from here on have no effect`,
});

/** A comment is a `#` at the start or after a space, so that tags may hold one. */
const withoutComment = (line: string): string => {
  const text = line.trim();
  const comment = text.startsWith('#') ? 0 : text.search(/\s#/);
  return comment < 0 ? text : text.slice(0, comment).trimEnd();
};

/** True if the text may be meant as an address: a mistyped address must not count as a service. */
const ADDRESS_SHAPES: readonly RegExp[] = [
  /^[\d.]+$/,
  /^\d+\.\d+\.\d+\.(?:\d|[a-z*]$)/i,
  /^0x[\da-f]+$/i,
  /^[\da-f]{0,4}:[\da-f]{0,4}:/i,
  /[/*[\]]/,
];

const looksLikeAddress = (text: string): boolean => {
  const { name } = nameAndProtocol(text);
  return text.includes('::') || ADDRESS_SHAPES.some((shape) => shape.test(name));
};
