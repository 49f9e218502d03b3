/**
 * What was denied and would not be by a new text of a key. Pure.
 */
import type { DeniedRow } from '../../src/diagnostics/denied-answer.ts';
import type { DeniedNameRow } from '../../src/diagnostics/denied-names.ts';
import { denylistLookup } from '../../src/diagnostics/denylist.ts';
import { type Destination, destinationOf } from '../../src/diagnostics/destination.ts';
import { whyNoNames } from '../../src/diagnostics/explain-names.ts';
import { indexNameLines } from '../../src/diagnostics/name-lines.ts';
import { viewOf } from '../../src/diagnostics/namespace-view.ts';
import { ReasonIndex } from '../../src/diagnostics/reason-index.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import { parseName } from '../../src/dns/name.ts';
import type { LiveState } from '../../src/live/state.ts';
import type { Acl, AclKey } from '../../src/policy/acl.ts';
import { grantedKeys, matchesFor } from '../../src/policy/compile.ts';
import { nameLines } from '../../src/policy/compile-names.ts';
import { memoized } from './memoized.ts';

/** What would not be denied any more: packets to a destination, or a name. */
export interface EndedDenial {
  readonly container: string;
  readonly packets: number;
  readonly lastSeenAt: number;
  /** `10.0.3.7 tcp/8443`, or a name. */
  readonly what: string;
  /** The lines of the new text that allow it; none where a denylist closes it no more. */
  readonly lines: readonly number[];
}

/** By packets, the most first. */
export const endedBy = (
  proposed: AclKey,
  snapshot: Snapshot,
  { denied, deniedNames }: Pick<LiveState, 'denied' | 'deniedNames'>,
): readonly EndedDenial[] =>
  [
    ...endedDestinations(proposed, snapshot, denied.values()),
    ...endedNames(proposed, snapshot, deniedNames.values()),
  ].toSorted((one, other) => other.packets - one.packets);

/** Destinations that are allowed without the new text were denied before the present one, and are left out. */
function endedDestinations(
  proposed: AclKey,
  snapshot: Snapshot,
  rows: Iterable<DeniedRow>,
): readonly EndedDenial[] {
  const views = new Map((snapshot.namespaces ?? []).map((one) => [one.target, one]));
  const endsFor = snapshot.denylist ? openedBy(proposed, snapshot) : allowedBy(proposed, snapshot);
  return [...rows].flatMap((row) => {
    const { container, address, protocol, port, packets, lastSeenAt } = row;
    const destination = destinationOf({ address, protocol, port, packets });
    const view = views.get(container);
    if (destination === undefined || view === undefined) return [];
    const lines = endsFor(view, destination);
    const what = `${address} ${protocol}/${destination.port}`;
    return lines === undefined ? [] : [{ container, packets, lastSeenAt, what, lines }];
  });
}

/** The lines that would allow it; undefined if none would, or it is allowed already. */
type Ends = (view: NamespaceView, destination: Destination) => readonly number[] | undefined;

function allowedBy(proposed: AclKey, { acl, catalog, protectedHosts }: Snapshot): Ends {
  const indexOf = (keys: readonly AclKey[]) =>
    new ReasonIndex(matchesFor(keys, catalog, protectedHosts).reasons, protectedHosts);
  const added = indexOf([proposed]);
  const present = memoized((grants) => indexOf(grantedKeys(grants, acl)));
  return ({ grants }, destination) => {
    if (!grants.includes(proposed.key)) return undefined;
    const { allowing } = added.find(destination);
    if (allowing.length === 0 || present(grants).find(destination).allowing.length > 0) return undefined;
    return [...new Set(allowing.map(({ line }) => line.line))];
  };
}

/** A denylist denies what keys name that are not granted. */
function openedBy(proposed: AclKey, { acl, catalog }: Snapshot): Ends {
  const next = withKey(acl, proposed);
  const before = memoized((grants) => denylistLookup(grants, acl, catalog));
  const after = memoized((grants) => denylistLookup(grants, next, catalog));
  return ({ grants }, destination) =>
    before(grants)(destination).length > 0 && after(grants)(destination).length === 0 ? [] : undefined;
}

const withKey = (acl: Acl, proposed: AclKey): Acl => new Map([...acl, [proposed.key, proposed]]);

/** Names that were asked in vain because no rule is about them. */
function endedNames(
  proposed: AclKey,
  snapshot: Snapshot,
  rows: Iterable<DeniedNameRow>,
): readonly EndedDenial[] {
  const added = indexNameLines(nameLines([proposed]));
  const present = memoized((grants) => indexNameLines(nameLines(grantedKeys(grants, snapshot.acl))));
  const holders = (snapshot.namespaces ?? []).filter(
    (one) => one.grants.includes(proposed.key) && whyNoNames(viewOf(snapshot, one)) === undefined,
  );
  const views = new Map(holders.map((one) => [one.target, one]));
  return [...rows].flatMap(({ container, name, cause, count, lastSeenAt }) => {
    const parsed = parseName(name);
    const view = views.get(container);
    if (cause !== 'name' || view === undefined || !('name' in parsed)) return [];
    const lines = added(parsed.name).map(({ line }) => line.line);
    if (lines.length === 0 || present(view.grants)(parsed.name).length > 0) return [];
    return [{ container, packets: count, lastSeenAt, what: name, lines }];
  });
}
