/**
 * The rules that would allow what was denied: services by name where the catalog knows them, else
 * addresses, never broader than what was seen.
 *
 * The lines are complete by themselves. Keys that allow some of it already are named beside them, as
 * asking for one is often what was meant.
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
  /** It names a host that is protected for good reason. */
  readonly risky: boolean;
}

/** A key that is not granted and allows some of the destinations. */
export interface SuggestedKey {
  readonly key: string;
  readonly count: number;
  /** One of its lines that do. */
  readonly reason: RuleMatch;
  /** How many rules it holds: who asks for a key gets all of them. */
  readonly rules: number;
  /** That line allows far more than anybody can have meant, see `isBroad`. */
  readonly broad: boolean;
}

export interface Suggestion {
  readonly lines: readonly SuggestedLine[];
  /** Broad ones last; before, those that allow most come first, and of these the narrower. */
  readonly keys: readonly SuggestedKey[];
}

export type Suggester = (destinations: readonly Destination[]) => Suggestion;

/** What is the same for all containers of a host. */
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
 * An index is made for the first question and used for the next as long as nothing has changed. It is held weakly: a
 * host at rest keeps no memory for questions.
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

/** Keys and instances are the same objects as long as nobody has changed them. */
const isSame = (one: Indexed, other: Indexed): boolean =>
  one.protectedHosts === other.protectedHosts &&
  hasSame(one.acl, other.acl) &&
  hasSame(one.catalog, other.catalog);

const hasSame = <T>(one: ReadonlyMap<string, T>, other: ReadonlyMap<string, T>): boolean =>
  one === other || (one.size === other.size && [...one].every(([name, value]) => other.get(name) === value));

/** `indexOf`: where an index is at hand, or shared with others; it is asked for with the first destination. */
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

/** What stands behind one destination: services as rules name them, and keys that are not granted. */
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
  // A service grants no protected host, whoever registered it there.
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

/** Tags by which services are named already: the words of those who write the rules. */
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

/** How many bits of an address its line leaves open. */
const breadth = ({ reason }: FoundKey): number => {
  const { family, length } = reason.entry.prefix;
  return WIDTH[family] - length;
};
