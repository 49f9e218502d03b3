/**
 * The interfaces of the sources of the inventory. `sources/` implements them for Consul and Docker.
 */
import type { Direction } from '../common/direction.ts';
import type { Prefix } from '../net/address.ts';
import type { Container, ContainerId } from './container.ts';
import type { Attachment, Network, Networks, Subnet } from './network.ts';
import type { Instance, NodeService, ServiceRef } from './service.ts';

/**
 * A value that is kept up to date in the background. An event carries no decision: `onChange` only means "read again".
 */
export interface Watched<T> {
  /** The last known value; `undefined` until it was read once. Kept when the source is lost. */
  readonly value: T | undefined;
  /** Why the value may be stale; `undefined` without an error. */
  readonly error: Error | undefined;
  /** When the source last confirmed the value, in ms by a clock that never goes back. */
  readonly confirmedAt: number | undefined;
  close(): void;
}

/** The rules and services of Consul. */
export interface RuleSource {
  /** Key → its text, of egress rules or (`ingress`) of ingress keys. A missing prefix is an empty map. */
  readRules(direction?: Direction): Promise<ReadonlyMap<string, string>>;
  readService(ref: ServiceRef): Promise<readonly Instance[]>;
  /**
   * `previous`: the state of the previous run. It is not a value, but it shows whether Consul has lost its history;
   * an empty answer is then not accepted.
   */
  watchRules(
    onChange: () => void,
    previous?: ReadonlyMap<string, string>,
    direction?: Direction,
  ): Watched<ReadonlyMap<string, string>>;
  watchService(
    ref: ServiceRef,
    onChange: () => void,
    previous?: readonly Instance[],
  ): Watched<readonly Instance[]>;
  /** The services that are registered on a node. */
  watchNodeServices(node: string, onChange: () => void): Watched<readonly NodeService[]>;
  close(): void;
}

/** The running containers, by id. */
export interface WatchedEngine extends Watched<ReadonlyMap<ContainerId, Container>> {
  /** The containers whose last inspection failed: their previous state counts, or none if there is none. */
  readonly unreadable: ReadonlySet<ContainerId>;
  /** Closed with the containers. */
  readonly networks: Omit<Watched<Networks>, 'close'>;
}

/** Makes networks, and attaches containers to them. Every method fails with an `EngineError`. */
export interface NetworkMaker {
  /** The network with exactly this name. */
  find(name: string): Promise<Network | undefined>;
  /** Makes a network of bridges. */
  make(name: string, subnets: readonly Subnet[]): Promise<void>;
  /** Whether there is a container with exactly this name, running or not. */
  hasContainer(name: string): Promise<boolean>;
  /** The name of another container, running or not, that was given one of these addresses in the network. */
  staticHolderOf(
    container: ContainerId,
    network: string,
    addresses: readonly Prefix[],
  ): Promise<string | undefined>;
  /** Where a container is in a network. */
  endOf(container: ContainerId, network: string): Promise<Attachment | undefined>;
  /** Attaches it with these addresses, one of a family at most. */
  attach(container: ContainerId, network: string, addresses: readonly Prefix[]): Promise<void>;
}

/** The containers and networks of the Engine. */
export interface ContainerSource {
  list(): Promise<ReadonlyMap<ContainerId, Container>>;
  watch(onChange: () => void): WatchedEngine;
  /**
   * The addresses of the container's DNS resolvers: those in the resolv.conf that the Engine wrote for it, as far as
   * the Engine configured them, and without those that Docker queries from the host. A workload can make this slow or
   * fail. Fails with an `EngineError`, or a `LoadError` if the container is gone.
   */
  resolvers(container: Container): Promise<readonly string[]>;
  /** The same if it can be read at once from files of this host, otherwise undefined. Never fails. */
  resolversFromFile(container: Container): Promise<readonly string[] | undefined>;
  /** All resolvers that the Engine configured for it; undefined until they are known. */
  configuredResolvers(container: Container): readonly string[] | undefined;
}
