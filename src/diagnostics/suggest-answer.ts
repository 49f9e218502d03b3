/**
 * The rules that would allow what was denied, for each container, in plain data.
 */

import { UserError } from '../common/errors.ts';
import type { DeniedReport } from '../inventory/denied-record.ts';
import { grantedKeys, matchesFor } from '../policy/compile.ts';
import { formatRule } from '../policy/rule.ts';
import { isBroad } from './broad.ts';
import { coveredBy, placeOf, type UnreadContainer, unreadOf } from './denied-answer.ts';
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
  /** It names a host that is protected for good reason. */
  readonly risky: boolean;
}

/** A key that is not granted and names some of the destinations. */
export interface KeySuggestion {
  readonly key: string;
  readonly destinations: number;
  /** One of its lines that do: `text` as written, `rule` as read. */
  readonly line: number;
  readonly text: string;
  readonly rule: string;
  /** How many rules it holds: who asks for a key gets all of them. */
  readonly rules: number;
  /** That line allows far more than anybody can have meant. */
  readonly broad: boolean;
}

export interface ContainerSuggestion {
  readonly container: string;
  /** The keys that it is granted. */
  readonly grants: readonly string[];
  /** Those of them that Consul has. */
  readonly existingGrants: readonly string[];
  /** How many destinations were denied that a rule could name. */
  readonly denied: number;
  readonly lines: readonly LineSuggestion[];
  /** Under a denylist: the keys that close destinations, all of which it takes to open them. */
  readonly keys: readonly KeySuggestion[];
  /** What was denied and no rule can name, as text. */
  readonly notExpressible: readonly string[];
}

/** A container whose record leaves destinations out. */
export interface IncompleteRecord {
  readonly container: string;
  readonly packets: number;
  readonly unlisted: number;
}

export interface SuggestAnswer {
  readonly suggestions: readonly ContainerSuggestion[];
  /** Why what was denied is not known; undefined where it is. */
  readonly unavailableReason?: string | undefined;
  /** Containers whose denials were asked for. */
  readonly watched: number;
  /** Milliseconds of which it tells; undefined where nobody knows. */
  readonly covers?: number | undefined;
  readonly unread: readonly UnreadContainer[];
  readonly incomplete: readonly IncompleteRecord[];
  readonly denylist: boolean;
  /** The text of the key that was asked for; undefined where Consul has none of that name, or none was named. */
  readonly keyText?: string | undefined;
  readonly kvPath: string;
}

/** Throws a `UserError` where nothing could be read of any container. */
export function suggestAnswer(
  key: string | undefined,
  reports: readonly DeniedReport[],
  snapshot: Snapshot,
  index: CatalogIndex,
): SuggestAnswer {
  if (reports.length > 0 && reports.every(({ error }) => error !== undefined))
    throw new UserError('denied connections could not be read from any container');
  const { denylist, kvPath, recordsDenied, template } = snapshot;
  // A denylist closes what other keys name, whatever this one allows.
  const isHeld = denylist ? () => false : allowedBy(key, snapshot);
  return {
    suggestions: reports
      .filter(({ destinations }) => destinations.length > 0)
      .map((one) => suggestFor(one, snapshot, index, isHeld)),
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

type Test = (destination: Destination) => boolean;

/** Whether a key allows a destination already: what was denied before it did stays known for an hour. */
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
): ContainerSuggestion {
  const grants = snapshot.namespaces?.find(({ target }) => target === container)?.grants ?? [];
  const named = destinations.flatMap((one) => destinationOf(one) ?? []).filter((one) => !isHeld(one));
  const found = snapshot.denylist ? underDenylist : underAllowlist;
  return {
    ...{
      container,
      grants,
      existingGrants: grants.filter((key) => snapshot.acl.has(key)),
      denied: named.length,
    },
    ...found(named, grants, snapshot, index),
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

/** What a key closes that is not granted, only that key opens: no rule in another one does. */
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
