/**
 * The rules that would allow what was refused: services by name where the catalog knows them, else
 * addresses, never broader than what was seen.
 *
 * The lines are complete by themselves. Keys that allow some of it already are named beside them, as
 * asking for one is often what was meant.
 */
import type { Acl } from '../acl.ts';
import { contains, type Prefix, WIDTH } from '../address.ts';
import { type Catalog, type Reason, reasonsFor } from '../resolve.ts';
import { formatRule, type Rule } from '../rule.ts';
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
  readonly reason: Reason;
}

export interface Suggestion {
  readonly lines: readonly SuggestedLine[];
  /** Those that allow most come first, and of these the narrower. */
  readonly keys: readonly SuggestedKey[];
}

export type Suggester = (destinations: readonly Destination[]) => Suggestion;

/** The work that is the same for all destinations is done once, when it is first needed. */
export function createSuggester(context: SuggestionContext): Suggester {
  const { grants, acl, catalog, protectedHosts } = context;
  const others = [...acl.values()].filter(({ key }) => !grants.includes(key));
  let tools: { readonly chooser: ServiceChooser; readonly index: ReasonIndex } | undefined;
  return (destinations) => {
    tools ??= {
      chooser: new ServiceChooser(catalog, tagsInUse(acl)),
      index: new ReasonIndex(reasonsFor(others, catalog, protectedHosts).reasons, protectedHosts),
    };
    return {
      lines: linesFor(destinations, tools.chooser, protectedHosts),
      keys: keysFor(destinations, tools.index),
    };
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

function keysFor(destinations: readonly Destination[], index: ReasonIndex): readonly SuggestedKey[] {
  const found = new Map<string, SuggestedKey>();
  for (const destination of destinations) {
    const { allowing } = index.find(destination);
    const byKey = new Map(allowing.toReversed().map((reason) => [reason.key, reason]));
    for (const [key, reason] of byKey)
      found.set(key, { key, reason, count: (found.get(key)?.count ?? 0) + 1 });
  }
  const breadth = ({
    reason: {
      allowance: { prefix },
    },
  }: SuggestedKey) => WIDTH[prefix.family] - prefix.length;
  return [...found.values()].sort(
    (a, b) => b.count - a.count || breadth(a) - breadth(b) || (a.key < b.key ? -1 : 1),
  );
}
