/**
 * The names of all services of the catalog, to tell which one stands behind an address: Consul has no
 * index by address.
 */
import { z } from 'zod';
import type { ServiceRef } from '../../inventory/service.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { plainCall } from './plain-call.ts';

const Names = z.record(z.string(), z.unknown());

/** The services of the agent's datacenter, sorted. Fails with a `ConsulError`. */
export async function listServices(options: ConsulOptions): Promise<readonly ServiceRef[]> {
  const call = { method: 'GET', path: '/v1/catalog/services?stale', what: 'the list of services' } as const;
  const body = await plainCall(settingsOf(options), call);
  const names = Object.keys(Names.parse(JSON.parse(body ?? '{}')));
  return names.sort().map((service) => ({ service, datacenter: undefined }));
}
