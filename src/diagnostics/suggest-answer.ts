/**
 * The rules that would allow the denied destinations of each container, as plain data.
 */

import { UserError } from '../common/errors.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import { grantedKeys, matchesFor } from '../policy/compile.ts';
import { formatRule } from '../policy/rule.ts';
import { isBroad } from './broad.ts';
import { coveredBy, placeOf, type UnreadContainer, unreadOf } from './denied-answer.ts';
import { nameSuggestions } from './denied-names.ts';
import { denylistLookup } from './denylist.ts';
import { type Destination, destinationOf } from './destination.ts';
import { onePerKey, ReasonIndex } from './reason-index.ts';
import type { Snapshot } from './snapshot.ts';
import { type CatalogIndex, createSuggester, type SuggestedKey } from './suggest.ts';
import { unrecorded } from './unavailable.ts';

/** One line for a key in Consul. */
export interface LineSuggestion {
  readonly rule: string;
  /** How many of the destinations it allows. */
  readonly destinations: number;
  /** True if it names a protected host. */
  readonly risky: boolean;
  /** Of a rule by name: how often the name was asked. Its port is assumed. */
  readonly asked?: number | undefined;
}

/** A key that is not granted and names some of the destinations. */
export interface KeySuggestion {
  readonly key: string;
  readonly destinations: number;
  /** One of these lines: `text` as written, `rule` as parsed. */
  readonly line: number;
  readonly text: string;
  readonly rule: string;
  /** How many rules it has: a container that uses the key gets all of them. */
  readonly rules: number;
  /** True if the line allows far more than its author can have intended. */
  readonly broad: boolean;
}

export interface ContainerSuggestion {
  readonly container: string;
  /** The keys that it is granted. */
  readonly grants: readonly string[];
  /** The grants that exist in Consul. */
  readonly existingGrants: readonly string[];
  /** How many denied destinations a rule could name. */
  readonly denied: number;
  readonly lines: readonly LineSuggestion[];
  /** With a denylist: the keys that close destinations; all of them are needed to open these. */
  readonly keys: readonly KeySuggestion[];
  /** Denied destinations that no rule can name, as text. */
  readonly notExpressible: readonly string[];
}

/** A container whose record does not have all destinations. */
export interface IncompleteRecord {
  readonly container: string;
  readonly packets: number;
  readonly unlisted: number;
}

export interface SuggestAnswer {
  readonly suggestions: readonly ContainerSuggestion[];
  /** Why denied destinations are not known; undefined if they are. */
  readonly unavailableReason?: string | undefined;
  /** The number of containers whose records were read. */
  readonly watched: number;
  /** The covered period in milliseconds; undefined if not known. */
  readonly covers?: number | undefined;
  readonly unread: readonly UnreadContainer[];
  readonly incomplete: readonly IncompleteRecord[];
  readonly denylist: boolean;
  /** The text of the requested key; undefined if Consul does not have it, or no key was requested. */
  readonly keyText?: string | undefined;
  readonly kvPath: string;
}

/** Throws a `UserError` if no container's record could be read. */
export function suggestAnswer(
  key: string | undefined,
  reports: readonly DeniedReport[],
  snapshot: Snapshot,
  index: CatalogIndex,
): SuggestAnswer {
  if (reports.length > 0 && reports.every(({ error }) => error !== undefined))
    throw new UserError('denied connections could not be read from any container');
  const { denylist, kvPath, recordsDenied, template } = snapshot;
  // A denylist closes the destinations of other keys, whatever this one allows.
  const isHeld = denylist ? () => false : allowedBy(key, snapshot);
  return {
    suggestions: reports
      .filter(({ container, destinations }) => destinations.length > 0 || hasDeniedNames(container, snapshot))
      .map((one) => suggestFor(one, snapshot, index, isHeld, rulesOf(key, snapshot))),
    ...{ watched: reports.length, covers: coveredBy(reports), unread: unreadOf(reports), denylist, kvPath },
    unavailableReason: recordsDenied ? undefined : unrecorded(template),
    incomplete: reports.flatMap(({ container, summary }) =>
      summary?.fullAt === undefined
        ? []
        : [{ container, packets: summary.packets, unlisted: summary.unlisted }],
    ),
    keyText: key === undefined ? undefined : snapshot.acl.get(key)?.text,
  };
}

const hasDeniedNames = (container: string, { namespaces = [] }: Snapshot): boolean =>
  namespaces.some(({ target, names }) => target === container && (names?.denied.length ?? 0) > 0);

/** The rules of a key, as they are formatted. */
const rulesOf = (key: string | undefined, { acl }: Snapshot): ReadonlySet<string> =>
  new Set((key === undefined ? [] : (acl.get(key)?.rules ?? [])).map(({ rule }) => formatRule(rule)));

type Test = (destination: Destination) => boolean;

/**
 * Returns a test whether a key already allows a destination: a destination stays listed for an hour after it was
 * denied.
 */
function allowedBy(key: string | undefined, { acl, catalog, protectedHosts }: Snapshot): Test {
  const held = key === undefined ? [] : grantedKeys([key], acl);
  const index = new ReasonIndex(matchesFor(held, catalog, protectedHosts).reasons, protectedHosts);
  return (destination) => index.find(destination).allowing.length > 0;
}

function suggestFor(
  { container, destinations }: DeniedReport,
  snapshot: Snapshot,
  index: CatalogIndex,
  isHeld: Test,
  held: ReadonlySet<string>,
): ContainerSuggestion {
  const namespace = snapshot.namespaces?.find(({ target }) => target === container);
  const grants = namespace?.grants ?? [];
  const named = destinations.flatMap((one) => destinationOf(one) ?? []).filter((one) => !isHeld(one));
  const find = snapshot.denylist ? underDenylist : underAllowlist;
  const { lines, keys } = find(named, grants, snapshot, index);
  const byName = nameSuggestions(namespace ?? {}, (rule) => held.has(rule));
  return {
    ...{
      container,
      grants,
      existingGrants: grants.filter((key) => snapshot.acl.has(key)),
      denied: named.length,
    },
    lines: [...lines, ...byName.map((one) => ({ ...one, destinations: 0, risky: false }))],
    keys,
    notExpressible: destinations.filter((one) => destinationOf(one) === undefined).map(placeOf),
  };
}

type Found = Pick<ContainerSuggestion, 'lines' | 'keys'>;

function underAllowlist(
  destinations: readonly Destination[],
  grants: readonly string[],
  snapshot: Snapshot,
  index: CatalogIndex,
): Found {
  const { lines, keys } = createSuggester({ ...snapshot, grants }, () => index)(destinations);
  return {
    lines: lines.map(({ text, count, risky }) => ({ rule: text, destinations: count, risky })),
    keys: keys.map(plainKey),
  };
}

/** Only the key that closes a destination can open it: a rule in another key does not. */
function underDenylist(
  destinations: readonly Destination[],
  grants: readonly string[],
  snapshot: Snapshot,
  index: CatalogIndex,
): Found {
  const { acl, catalog } = snapshot;
  const closedBy = denylistLookup(grants, acl, catalog);
  const closing = destinations.map(closedBy);
  const byKey = Map.groupBy(closing.flatMap(onePerKey), ({ key }) => key);
  const open = destinations.filter((_one, place) => closing[place]?.length === 0);
  return {
    lines: underAllowlist(open, grants, snapshot, index).lines,
    keys: [...byKey].flatMap(([key, [reason, ...others]]) =>
      reason === undefined
        ? []
        : plainKey({
            ...{ key, reason, count: 1 + others.length, broad: isBroad(reason) },
            rules: acl.get(key)?.rules.length ?? 0,
          }),
    ),
  };
}

const plainKey = ({ key, count, reason, rules, broad }: SuggestedKey): KeySuggestion => ({
  ...{ key, destinations: count, line: reason.line.line, text: reason.line.text },
  ...{ rule: formatRule(reason.line.rule), rules, broad },
});
