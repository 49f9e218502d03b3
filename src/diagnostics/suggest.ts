/**
 * Suggests rules that would allow denied destinations: services by name if the catalog has them, else addresses, never
 * broader than what was seen.
 *
 * The lines are sufficient by themselves. Existing keys that allow some of the destinations are listed too, because
 * using one is often better.
 */

import { contains, type Prefix, WIDTH } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, matchesFor, type RuleMatch } from '../policy/compile.ts';
import { formatRule, type Rule } from '../policy/rule.ts';
import { isBroad } from './broad.ts';
import type { Destination } from './destination.ts';
import { ReasonIndex } from './reason-index.ts';
import { addressRules } from './suggest-addresses.ts';
import { ServiceChooser } from './suggest-services.ts';

export interface SuggestionContext {
  readonly grants: readonly string[];
  readonly acl: Acl;
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
}

/** One line for a key in Consul. */
export interface SuggestedLine {
  readonly rule: Rule;
  readonly text: string;
  /** How many of the destinations it allows. */
  readonly count: number;
  /** True if it names a protected host. */
  readonly risky: boolean;
}

/** A key that is not granted and allows some of the destinations. */
export interface SuggestedKey {
  readonly key: string;
  readonly count: number;
  /** One of these lines. */
  readonly reason: RuleMatch;
  /** How many rules it has: a container that uses the key gets all of them. */
  readonly rules: number;
  /** True if the line is broad, see `isBroad`. */
  readonly broad: boolean;
}

export interface Suggestion {
  readonly lines: readonly SuggestedLine[];
  /** Broad keys last; the others by how many destinations they allow, then by how narrow they are. */
  readonly keys: readonly SuggestedKey[];
}

export type Suggester = (destinations: readonly Destination[]) => Suggestion;

/** The part that is the same for all containers of a host. */
export interface CatalogIndex {
  readonly chooser: ServiceChooser;
  /** The lines of all keys. */
  readonly lines: ReasonIndex;
}

type Indexed = Omit<SuggestionContext, 'grants'>;

export const catalogIndex = ({ acl, catalog, protectedHosts }: Indexed): CatalogIndex => ({
  chooser: new ServiceChooser(catalog, tagsInUse(acl)),
  lines: new ReasonIndex(matchesFor([...acl.values()], catalog, protectedHosts).reasons, protectedHosts),
});

/**
 * Caches an index as long as nothing has changed. The reference is weak: an idle host keeps no memory for questions.
 */
export function createIndexCache(): (context: Indexed) => CatalogIndex {
  let last: { readonly of: Indexed; readonly index: WeakRef<CatalogIndex> } | undefined;
  return (context) => {
    const known = last !== undefined && isSame(last.of, context) ? last.index.deref() : undefined;
    const index = known ?? catalogIndex(context);
    if (known === undefined) last = { of: context, index: new WeakRef(index) };
    return index;
  };
}

/** Unchanged keys and instances are the same objects. */
const isSame = (one: Indexed, other: Indexed): boolean =>
  one.protectedHosts === other.protectedHosts &&
  hasSame(one.acl, other.acl) &&
  hasSame(one.catalog, other.catalog);

const hasSame = <T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): boolean =>
  one === other || (one.size === other.size && [...one].every(([name, value]) => other.get(name) === value));

/** `indexOf`: returns an existing or shared index; called with the first destination. */
export function createSuggester(
  context: SuggestionContext,
  indexOf: () => CatalogIndex = () => catalogIndex(context),
): Suggester {
  const granted = new Set(context.grants);
  let index: CatalogIndex | undefined;
  return (destinations) => {
    index ??= indexOf();
    return {
      lines: linesFor(destinations, index.chooser, context.protectedHosts),
      keys: keysFor(destinations, index.lines, granted).map((one) => withSize(one, context.acl)),
    };
  };
}

/**
 * The services behind one destination, in the notation of rules, and the keys that allow it and are not granted.
 */
export function matchService(
  destination: Destination,
  { chooser, lines }: CatalogIndex,
  grants: readonly string[],
): { readonly services: readonly string[]; readonly keys: readonly string[] } {
  const keys = lines.find(destination).allowing.map(({ key }) => key);
  return {
    services: chooser.choose([destination]).rules.map(({ rule }) => formatRule(rule)),
    keys: [...new Set(keys)].filter((key) => !grants.includes(key)),
  };
}

function linesFor(
  destinations: readonly Destination[],
  chooser: ServiceChooser,
  protectedHosts: readonly Prefix[],
): readonly SuggestedLine[] {
  const isRisky = (prefix: Prefix) => protectedHosts.some((host) => contains(prefix, host));
  const isProtected = (host: Prefix) => protectedHosts.some((one) => contains(one, host));
  // A service does not grant protected hosts.
  const { rules: services, rest } = chooser.choose(destinations.filter(({ host }) => !isProtected(host)));
  return [
    ...services.map(({ rule, count }) => ({ rule, text: formatRule(rule), count, risky: false })),
    ...addressRules([...rest, ...destinations.filter(({ host }) => isProtected(host))]).map(
      ({ rule, count }) => ({
        rule,
        text: formatRule(rule),
        count,
        risky: isRisky(rule.prefix),
      }),
    ),
  ];
}

/** The tags that existing rules use. */
const tagsInUse = (acl: Acl): ReadonlySet<string> => {
  const tags = new Set<string>();
  for (const { rules } of acl.values())
    for (const { rule } of rules) if (rule.kind === 'service' && rule.tag !== undefined) tags.add(rule.tag);
  return tags;
};

type FoundKey = Pick<SuggestedKey, 'key' | 'count' | 'reason'>;

const withSize = (found: FoundKey, acl: Acl): SuggestedKey => ({
  ...found,
  rules: acl.get(found.key)?.rules.length ?? 0,
  broad: isBroad(found.reason),
});

function keysFor(
  destinations: readonly Destination[],
  index: ReasonIndex,
  granted: ReadonlySet<string>,
): readonly FoundKey[] {
  const found = new Map<string, FoundKey>();
  for (const destination of destinations) {
    const allowing = index.find(destination).allowing.filter(({ key }) => !granted.has(key));
    const byKey = new Map(allowing.toReversed().map((reason) => [reason.key, reason]));
    for (const [key, reason] of byKey)
      found.set(key, { key, reason, count: (found.get(key)?.count ?? 0) + 1 });
  }
  return [...found.values()].sort(
    (a, b) =>
      Number(isBroad(a.reason)) - Number(isBroad(b.reason)) ||
      b.count - a.count ||
      breadth(a) - breadth(b) ||
      (a.key < b.key ? -1 : 1),
  );
}

/** The number of free bits in the line's prefix. */
const breadth = ({ reason }: FoundKey): number => {
  const { family, length } = reason.entry.prefix;
  return WIDTH[family] - length;
};
