/**
 * Completes what is known with the services that a question is about: those that any rule names, or
 * all of the catalog, to tell which service stands behind an address.
 */

import { messageOf } from '../common/errors.ts';
import { type Instance, type ServiceRef, serviceName } from '../inventory/service.ts';
import { parseAcl } from '../policy/acl.ts';
import { servicesOf } from '../policy/compile.ts';
import type { Snapshot } from './snapshot.ts';

/** `named`: those that rules name. `all`: those of the catalog too. */
export type Scope = 'named' | 'all';

export interface ServiceReader {
  readService(ref: ServiceRef): Promise<readonly Instance[]>;
  listServices(): Promise<readonly ServiceRef[]>;
}

/** More services than this are not read for one question. */
const MOST_SERVICES = 2_000;
/** Reads at once. */
const AT_ONCE = 16;

/** `also`: services that are asked for by name. What can't be read is in `unread`, and why in `whyUnread`. */
export async function withServices(
  picture: Snapshot,
  reader: ServiceReader,
  scope: Scope,
  also: readonly ServiceRef[] = [],
): Promise<Snapshot> {
  const acl = parseAcl(new Map(picture.rules.map(({ key, text }) => [key, text])));
  const known = new Map(picture.services.map(({ name, instances }) => [name, instances]));
  const catalog = scope === 'all' ? await reader.listServices().catch(() => []) : [];
  const wanted = [...servicesOf(acl.values()), ...also, ...catalog];
  const missing = new Map(wanted.map((ref) => [serviceName(ref), ref]));
  for (const name of known.keys()) missing.delete(name);
  const refs = [...missing.values()].slice(0, MOST_SERVICES);
  const why = new Map<string, string>();
  const unread: string[] = [...missing.keys()].slice(MOST_SERVICES);
  const read = async () => {
    for (let ref = refs.shift(); ref !== undefined; ref = refs.shift()) {
      const name = serviceName(ref);
      try {
        known.set(name, await reader.readService(ref));
      } catch (error) {
        unread.push(name);
        why.set(name, messageOf(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, read));
  const services = [...known].map(([name, instances]) => ({ name, instances }));
  return { ...picture, services, unread: unread.sort(), whyUnread: Object.fromEntries(why) };
}
