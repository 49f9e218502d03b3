/**
 * The data in Consul: the ACL keys, which all hosts share, and the status and registration of this host.
 */

import { type Config, PUBLISHED } from '../../config/config.ts';
import { normalizeKvPath } from '../../sources/consul/options.ts';
import { Removal } from '../../sources/consul/removal.ts';
import { count } from '../format/values.ts';
import type { Looking, Step } from './step.ts';

export function consulLookings({ consul, node, publish, register }: Config): readonly Looking[] {
  const removal = () => new Removal(consul);
  const folder = normalizeKvPath(consul.kvPath);
  const status = `${publish ?? PUBLISHED}${node}`;
  const service = `${register ?? 'egresstrator'}-${node}`;
  return [
    { part: 'keys', look: () => lookForKeys(removal(), folder) },
    { part: 'status', look: () => lookForStatus(removal(), status) },
    { part: 'registration', look: () => lookForService(removal(), service) },
  ];
}

async function lookForKeys(removal: Removal, folder: string): Promise<readonly Step[]> {
  const keys = await removal.countKeys(folder);
  const what = `${count(keys, 'ACL key')} below ${folder} in Consul, which all hosts share`;
  const remove = () => removal.removeKeys(folder).then(() => undefined);
  return keys === 0 ? [] : [{ part: 'keys', what, remove }];
}

async function lookForStatus(removal: Removal, key: string): Promise<readonly Step[]> {
  const remove = () => removal.removeKeys(key).then(() => undefined);
  return (await removal.countKeys(key)) === 0
    ? []
    : [{ part: 'status', what: `the key ${key} in Consul`, remove }];
}

async function lookForService(removal: Removal, id: string): Promise<readonly Step[]> {
  const remove = () => removal.deregister(id).then(() => undefined);
  return (await removal.isRegistered(id))
    ? [{ part: 'registration', what: `the service ${id} in Consul`, remove }]
    : [];
}
