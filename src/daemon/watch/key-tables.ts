/**
 * The tables of keys, and of the services that they name.
 */
import type { Steps } from '../../common/slices.ts';
import type { Instance } from '../../inventory/service.ts';
import type { LiveState } from '../../live/state.ts';
import type { KeyEntry, ServiceEntry } from '../../live/tables.ts';
import type { Acl, AclKey } from '../../policy/acl.ts';
import { reuseEqual } from './reuse.ts';

type KeyTables = Pick<LiveState, 'keys' | 'ingressKeys' | 'services'>;

export interface KeyInput {
  readonly acl: Acl | undefined;
  readonly ingress: Acl | undefined;
  readonly watched: ReadonlyMap<string, readonly Instance[]>;
  /** Those that keys name and nobody watches. */
  readonly unwatched: ReadonlyMap<string, ServiceEntry>;
}

/** What is not known any more stays as it was. */
export function* keyTables(previous: LiveState, input: KeyInput): Steps<KeyTables> {
  const { acl, ingress, watched, unwatched } = input;
  const services = [...unwatched, ...[...watched].map(([name, all]) => [name, serviceEntry(all)] as const)];
  return {
    keys: acl === undefined ? previous.keys : yield* reuseEqual(previous.keys, entriesOf(acl)),
    ingressKeys: yield* reuseEqual(previous.ingressKeys, entriesOf(ingress ?? new Map())),
    services: yield* reuseEqual(previous.services, services),
  };
}

const entriesOf = (acl: Acl) => [...acl].map(([key, one]) => [key, keyEntry(one)] as const);

/** Unchanged keys and instances are the same objects. */
const keys = new WeakMap<AclKey, KeyEntry>();
const services = new WeakMap<readonly Instance[], ServiceEntry>();

const keyEntry = (one: AclKey): KeyEntry => known(keys, one, ({ text }) => ({ text }));
const serviceEntry = (instances: readonly Instance[]): ServiceEntry =>
  known(services, instances, () => ({ instances }));

function known<K extends object, V>(all: WeakMap<K, V>, key: K, make: (key: K) => V): V {
  const value = all.get(key) ?? make(key);
  all.set(key, value);
  return value;
}
