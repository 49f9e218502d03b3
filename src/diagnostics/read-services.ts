/**
 * Completes a snapshot with the services that a question needs: those that rules name, or the whole catalog, to find
 * services by address.
 */

import { messageOf } from '../common/errors.ts';
import { type Instance, type ServiceRef, serviceName } from '../inventory/service.ts';
import { servicesOf } from '../policy/compile.ts';
import type { Snapshot } from './snapshot.ts';

/** `named`: the services that rules name. `all`: the whole catalog too. */
export type Scope = 'named' | 'all';

export interface ServiceReader {
  readService(ref: ServiceRef): Promise<readonly Instance[]>;
  /** The whole catalog of the agent's datacenter, possibly cached. */
  readCatalog(): Promise<{
    readonly services: ReadonlyMap<string, readonly Instance[]>;
    /** The services that could not be read, and the reasons. */
    readonly unread: ReadonlyMap<string, string>;
  }>;
}

/** The most services that are read for one question. */
const MOST_SERVICES = 2_000;
/** Reads at once. */
const AT_ONCE = 16;

/** `also`: services that the question names. Services in the snapshot are newer, and stay. */
export async function withServices(
  snapshot: Snapshot,
  reader: ServiceReader,
  scope: Scope,
  also: readonly ServiceRef[] = [],
): Promise<Snapshot> {
  const whole = scope === 'all' ? await reader.readCatalog().catch(() => NOTHING) : NOTHING;
  const known = new Map([...whole.services, ...snapshot.catalog]);
  const unread = new Map<string, string | undefined>(whole.unread);
  const keys = [...snapshot.acl.values(), ...(snapshot.ingress?.acl.values() ?? [])];
  const wanted = [...servicesOf(keys), ...also].map((ref) => [serviceName(ref), ref] as const);
  const missing = new Map(wanted.filter(([name]) => !known.has(name) && !unread.has(name)));
  const refs = [...missing].slice(0, MOST_SERVICES);
  for (const name of [...missing.keys()].slice(MOST_SERVICES)) unread.set(name, undefined);
  const read = async () => {
    for (let next = refs.shift(); next !== undefined; next = refs.shift()) {
      const [name, ref] = next;
      try {
        known.set(name, await reader.readService(ref));
      } catch (error) {
        unread.set(name, messageOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  for (const name of known.keys()) unread.delete(name);
  return { ...snapshot, catalog: known, unread };
}

const NOTHING = { services: new Map<string, readonly Instance[]>(), unread: new Map<string, string>() };
