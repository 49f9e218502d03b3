/**
 * Services of Consul's catalog: references from rules, and instances.
 */
import type { Prefix } from '../net/address.ts';
import type { Transport } from './network.ts';

/** A service in a datacenter (`undefined`: the agent's own). Tags are matched in here, not in Consul. */
export interface ServiceRef {
  readonly service: string;
  readonly datacenter: string | undefined;
}

export interface Instance {
  /** The service's address, else its node's; text as registered, perhaps not an IP address. */
  readonly address: string;
  /** 0 if no port is registered. */
  readonly port: number;
  readonly tags: readonly string[];
  /** The node's name, for people. */
  readonly node: string;
}

/** A service of this node, at an address and port of it or of a container. */
export interface NodeService {
  /** Identifies the registration: a service that is registered anew has another. */
  readonly registration: string;
  readonly name: string;
  readonly address: Prefix;
  /** 1 to 65,535. */
  readonly port: number;
  readonly protocol: Transport;
}

/** A `ServiceRef` as text, `postgresql` or `postgresql@dc2`: the key of maps. */
export const serviceName = (ref: ServiceRef): string =>
  ref.datacenter === undefined ? ref.service : `${ref.service}@${ref.datacenter}`;

/** Stands for the instances of an outdated service; compared by identity. */
export const OUTDATED: readonly Instance[] = Object.freeze([]);

/** Stands for the services of a node that Consul does not have; compared by identity. */
export const UNKNOWN_NODE: readonly NodeService[] = Object.freeze([]);
