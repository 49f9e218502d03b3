/**
 * Keeps parts of a snapshot that are the same as before, so that what is made of them is not made anew with each message
 * of the stream. Pure.
 */
import type { KeysView } from '../../src/diagnostics/keys.ts';
import type { NamespaceView, Snapshot } from '../../src/diagnostics/snapshot.ts';
import { formatPrefix } from '../../src/net/address.ts';

/** Parts that are equal are the same objects as before; the whole too, if nothing differs. */
export function reuseEqual(previous: Snapshot | undefined, next: Snapshot): Snapshot {
  if (previous === undefined) return next;
  const kept: Snapshot = {
    ...next,
    acl: sameMap(previous.acl, next.acl),
    catalog: sameMap(previous.catalog, next.catalog),
    unread: sameMap(previous.unread, next.unread),
    protectedHosts: sameBy((one) => one.map(formatPrefix), previous.protectedHosts, next.protectedHosts),
    namespaces: sameViews(previous.namespaces, next.namespaces),
    unsupported: sameBy((one) => one, previous.unsupported, next.unsupported),
    notEnabled: sameBy((one) => one, previous.notEnabled, next.notEnabled),
  };
  return isShallowEqual(previous, kept) ? previous : kept;
}

function sameMap<T>(previous: ReadonlyMap<string, T>, next: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  const isSame =
    previous.size === next.size &&
    [...next].every(([id, value]) => previous.get(id) === value && previous.has(id));
  return isSame ? previous : next;
}

const sameBy = <T>(textOf: (value: T) => unknown, previous: T, next: T): T =>
  JSON.stringify(textOf(previous)) === JSON.stringify(textOf(next)) ? previous : next;

function sameViews(
  previous: Snapshot['namespaces'],
  next: Snapshot['namespaces'],
): readonly NamespaceView[] | undefined {
  const known = new Map(previous?.map((one) => [one.id, one]));
  const views = next?.map((one) => sameView(known.get(one.id), one));
  const isSame =
    previous?.length === views?.length && (views ?? []).every((one, at) => one === previous?.[at]);
  return isSame ? previous : views;
}

/** The report of names is compared as an object: it is replaced when it changes. */
function sameView(previous: NamespaceView | undefined, next: NamespaceView): NamespaceView {
  if (previous === undefined || previous.names !== next.names) return next;
  return sameBy(({ names, ...rest }) => rest, previous, next);
}

const isShallowEqual = (one: object, other: object): boolean => {
  const [entries, others] = [Object.entries(one), new Map(Object.entries(other))];
  return entries.length === others.size && entries.every(([name, value]) => others.get(name) === value);
};

export const reuseEqualKeys = (previous: KeysView | undefined, next: KeysView): KeysView => {
  if (previous === undefined) return next;
  const kept = { ...next, workloads: sameBy((one) => one, previous.workloads, next.workloads) };
  return isShallowEqual(previous, kept) ? previous : kept;
};
