/**
 * Rules that name a host of DNS: `api.example.com:tcp/443`, `*.example.com:tcp/443`, `**.example.com:tcp/443`,
 * `db.corp.example@10.20.0.0/16:tcp/5432`.
 *
 * Such a rule always has ports, which `[tag.]service[:protocol]` never has: so `production.postgresql:tcp` is a
 * service with a tag, and no text is both.
 */
import { quote } from '../common/text.ts';
import { isWithin, type Name } from '../dns/name.ts';
import { comparePrefixes, formatPrefix, type Prefix } from '../net/address.ts';
import { formatRange, type Range } from '../net/ranges.ts';
import { neverByName } from '../net/special-addresses.ts';
import { masked, parseTarget } from './address-rule.ts';
import { nameFault } from './name-faults.ts';
import { nameMistake } from './name-mistakes.ts';
import { asNameParts, type NameParts } from './name-parts.ts';
import { parseTraffic } from './traffic.ts';

/**
 * The names that a rule is about: `name` itself, or those with exactly one label before it, or with one or more. The
 * name itself is not among those below it.
 */
export type Depth = 'self' | 'one' | 'any';

/** Traffic to what names resolve to. `ranges` is never empty. */
export interface NameRule {
  readonly kind: 'name';
  /** In lower case, without the star. */
  readonly name: Name;
  readonly depth: Depth;
  /** Where the answers must lie; none: only public addresses count. Ascending, each once. */
  readonly prefixes: readonly Prefix[];
  readonly protocol: 'tcp' | 'udp';
  readonly ranges: readonly Range[];
}

export type ParsedNameRule =
  | { readonly rule: NameRule; readonly warnings: readonly string[] }
  | { readonly reason: string };

const STARS: Readonly<Record<Depth, string>> = { self: '', one: '*.', any: '**.' };

/** The rule of a text; undefined if the text is meant as something else. */
export const parseNameRule = (text: string): ParsedNameRule | undefined => {
  const mistake = nameMistake(text);
  if (mistake !== undefined) return { reason: mistake };
  const parts = asNameParts(text);
  if (parts === undefined) return undefined;
  const reason = nameFault(parts);
  return reason === undefined ? parseParts(parts) : { reason };
};

/** `*.example.com`: the names of a rule, as in its text. */
export const formatNames = ({ name, depth }: Pick<NameRule, 'name' | 'depth'>): string =>
  STARS[depth] + name.join('.');

/** Whether the rule is about a name. */
export const isAbout = ({ name, depth }: Pick<NameRule, 'name' | 'depth'>, asked: Name): boolean => {
  const below = asked.length - name.length;
  return { self: below === 0, one: below === 1, any: below > 0 }[depth] && isWithin(asked, name);
};

/** The text that `parseNameRule` parses to the same rule. */
export const formatNameRule = (rule: NameRule): string => {
  const where = rule.prefixes.length === 0 ? '' : `@${rule.prefixes.map(bracketed).join(',')}`;
  return `${formatNames(rule)}${where}:${rule.protocol}/${rule.ranges.map(formatRange).join(',')}`;
};

const bracketed = (prefix: Prefix): string =>
  prefix.family === 4 ? formatPrefix(prefix) : formatPrefix(prefix).replace(/^[^/]+/, '[$&]');

const parseParts = ({ name, place, traffic = '' }: NameParts): ParsedNameRule => {
  const where = parsePlace(place);
  if ('reason' in where) return where;
  const parsed = parseTraffic(traffic, 6);
  if ('reason' in parsed) return parsed;
  const { protocol, ranges } = parsed;
  if (protocol === 'icmp' || !traffic.includes('/'))
    return { reason: `expected ports, got ${quote(traffic)}` };
  const [, stars = '', rest = ''] = /^(?:(\*{1,2})\.)?(.*?)\.?$/.exec(name.toLowerCase()) ?? [];
  const depth = DEPTHS[stars.length] ?? 'self';
  const rule: NameRule = {
    kind: 'name',
    name: rest.split('.'),
    depth,
    prefixes: where.prefixes,
    protocol,
    ranges,
  };
  return { rule, warnings: where.warnings };
};

const DEPTHS: readonly Depth[] = ['self', 'one', 'any'];

type Place =
  | { readonly prefixes: readonly Prefix[]; readonly warnings: readonly string[] }
  | { readonly reason: string };

/** The most prefixes of a rule: each answer is compared with all of them. */
const MOST_PREFIXES = 32;

const parsePlace = (place: string | undefined): Place => {
  if (place === undefined) return { prefixes: [], warnings: [] };
  const texts = place.split(',', MOST_PREFIXES + 1);
  if (texts.length > MOST_PREFIXES) return { reason: `expected at most ${MOST_PREFIXES} prefixes after "@"` };
  const prefixes = new Map<string, Prefix>();
  const warnings: string[] = [];
  for (const text of texts) {
    const parsed = parseTarget(text);
    if ('reason' in parsed) return { reason: `expected prefixes after "@": ${parsed.reason}` };
    const never = neverByName(parsed.prefix);
    if (never !== undefined) return { reason: neverGranted(text, never) };
    prefixes.set(formatPrefix(parsed.prefix), parsed.prefix);
    if (parsed.hostBits) warnings.push(masked(text, parsed.prefix));
  }
  return { prefixes: [...prefixes.values()].sort(comparePrefixes), warnings };
};

const neverGranted = (text: string, meaning: string): string =>
  `expected a prefix that a name may lead to, got ${quote(text)}: ${meaning} addresses are never granted by name`;
