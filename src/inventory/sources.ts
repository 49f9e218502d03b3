/**
 * The interfaces of the sources that make up the inventory. Consul and Docker implement them
 * in `sources/`; tests may stand in for them.
 */
import type { Container, ContainerId } from './container.ts';
import type { Networks } from './network.ts';
import type { Instance, ServiceRef } from './service.ts';

/**
 * Something read from the world and kept up to date in the background. An event carries no decision:
 * `onChange` only means "read again".
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
  /** ACL key → its text. A missing prefix is an empty map. */
  readRules(): Promise<ReadonlyMap<string, string>>;
  readService(ref: ServiceRef): Promise<readonly Instance[]>;
  /**
   * `previous`: the state of the previous run. It is not a value, but it shows whether Consul has lost its history;
   * an empty answer is then not accepted.
   */
  watchRules(
    onChange: () => void,
    previous?: ReadonlyMap<string, string>,
  ): Watched<ReadonlyMap<string, string>>;
  watchService(
    ref: ServiceRef,
    onChange: () => void,
    previous?: readonly Instance[],
  ): Watched<readonly Instance[]>;
  close(): void;
}

/** The running containers, by id. */
export interface WatchedEngine extends Watched<ReadonlyMap<ContainerId, Container>> {
  /** Those that could not be inspected the last time: their former state counts, or none if there is none. */
  readonly unreadable: ReadonlySet<ContainerId>;
  /** Closed with the containers. */
  readonly networks: Omit<Watched<Networks>, 'close'>;
}

/** The containers and networks of the Engine. */
export interface ContainerSource {
  list(): Promise<ReadonlyMap<ContainerId, Container>>;
  watch(onChange: () => void): WatchedEngine;
  /**
   * Addresses that the container's own name resolution needs: what the resolv.conf that the Engine wrote
   * for it names, as far as the Engine put it there, without what Docker asks from the host. A workload can
   * make this slow or fail. Fails with an `EngineError`, or a `LoadError` if the container is gone.
   */
  resolvers(container: Container): Promise<readonly string[]>;
  /** The same where it can be told at once from files of this host, else undefined. Never fails. */
  resolversFromFile(container: Container): Promise<readonly string[] | undefined>;
  /** All that the Engine gave it to choose from; undefined while that is not known. */
  configuredResolvers(container: Container): readonly string[] | undefined;
}
