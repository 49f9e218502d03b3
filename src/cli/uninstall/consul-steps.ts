/**
 * The data in Consul: the ACL keys and ingress keys, which all hosts share, and the status and registration of this host.
 */

import { type Config, PUBLISHED } from '../../config/config.ts';
import { count } from '../../format/values.ts';
import { normalizeKvPath } from '../../sources/consul/options.ts';
import { Removal } from '../../sources/consul/removal.ts';
import { named } from '../../sources/consul/setting-names.ts';
import type { Search, UninstallStep } from './step.ts';

export function consulSearches({ consul, node, publish, register }: Config): readonly Search[] {
  const removal = () => new Removal(consul);
  const folders = [
    { noun: 'ACL key', folder: normalizeKvPath(consul.kvPath) },
    { noun: 'ingress key', folder: normalizeKvPath(consul.ingressPath, named.ingressPath) },
  ];
  const status = `${publish ?? PUBLISHED}${node}`;
  const service = `${register ?? 'egresstrator'}-${node}`;
  return [
    ...folders.map((one): Search => ({ part: 'keys', search: () => findKeys(removal(), one) })),
    { part: 'status', search: () => findStatus(removal(), status) },
    { part: 'registration', search: () => findService(removal(), service) },
  ];
}

async function findKeys(
  removal: Removal,
  { noun, folder }: { readonly noun: string; readonly folder: string },
): Promise<readonly UninstallStep[]> {
  const keys = await removal.countKeys(folder);
  const what = `${count(keys, noun)} below ${folder} in Consul, which all hosts share`;
  const remove = () => removal.removeKeys(folder).then(() => undefined);
  return keys === 0 ? [] : [{ part: 'keys', what, remove }];
}

async function findStatus(removal: Removal, key: string): Promise<readonly UninstallStep[]> {
  const remove = () => removal.removeKeys(key).then(() => undefined);
  return (await removal.countKeys(key)) === 0
    ? []
    : [{ part: 'status', what: `the key ${key} in Consul`, remove }];
}

async function findService(removal: Removal, id: string): Promise<readonly UninstallStep[]> {
  const remove = () => removal.deregister(id).then(() => undefined);
  return (await removal.isRegistered(id))
    ? [{ part: 'registration', what: `the service ${id} in Consul`, remove }]
    : [];
}
