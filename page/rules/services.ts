/**
 * The services that a new text names and no key does: the stream does not have them, so the controller is asked.
 */
import { messageOf } from '../../src/common/errors.ts';
import type { Snapshot } from '../../src/diagnostics/snapshot.ts';
import { type ServiceRef, serviceName } from '../../src/inventory/service.ts';
import type { ServiceEntry } from '../../src/live/tables.ts';

/** Asks for one service by its name as rules write it. */
export type ReadService = (name: string) => Promise<ServiceEntry>;

/** Completes the snapshot. A service that cannot be read is told as such, as on the command line. */
export async function withServicesOf(
  snapshot: Snapshot,
  refs: readonly ServiceRef[],
  read: ReadService,
): Promise<Snapshot> {
  const { catalog, unread } = snapshot;
  const names = new Set(refs.map(serviceName));
  const missing = [...names].filter((name) => !catalog.has(name) && !unread.has(name)).slice(0, MOST);
  if (missing.length === 0) return snapshot;
  const entries = await Promise.all(missing.map(async (name) => [name, await answered(read(name))] as const));
  const found = entries.filter(([, { unread: why }]) => why === undefined);
  const failed = entries.flatMap(([name, { unread: why }]) =>
    why === undefined ? [] : [[name, why] as const],
  );
  return {
    ...snapshot,
    catalog: new Map([...catalog, ...found.map(([name, { instances }]) => [name, instances] as const)]),
    unread: new Map([...unread, ...failed]),
  };
}

/** The most that are asked for at once. */
const MOST = 50;

const answered = (answer: Promise<ServiceEntry>): Promise<ServiceEntry> =>
  answer.catch((error: unknown) => ({ instances: [], unread: messageOf(error) }));

/** Milliseconds for which an answer counts: a text is checked after each letter. */
const KEPT = 30_000;

/** Asks once for a service in a while. `now`: in ms, by any clock. */
export function remembering(read: ReadService, now: () => number): ReadService {
  const known = new Map<string, { readonly at: number; readonly entry: Promise<ServiceEntry> }>();
  return (name) => {
    const last = known.get(name);
    if (last !== undefined && now() - last.at < KEPT) return last.entry;
    const entry = read(name);
    known.set(name, { at: now(), entry });
    entry.catch(() => known.delete(name));
    return entry;
  };
}
