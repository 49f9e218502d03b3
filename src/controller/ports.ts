/**
 * What the controller needs of the world. Adapters implement these; tests may stand in for them.
 */
import type { Container, ContainerId } from '../domain/container.ts';
import type { Instance, ServiceRef } from '../domain/service.ts';
import type { DnsPolicy, Mode } from '../domain/workload.ts';
import type { DeniedRecord } from './denied-record.ts';

export type { Refusal } from './denied-record.ts';

/**
 * Something read from the world and kept up to date in the background. An event carries no decision:
 * `onChange` only says "look again".
 */
export interface Watched<T> {
  /** The last known value; `undefined` until it was read once. Kept when the source is lost. */
  readonly value: T | undefined;
  /** Why the value may be stale; `undefined` while all is well. */
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
   * `former`: what a run before this one knew. It is no value, but a Consul that has lost its history
   * is recognised by it, so that its emptiness is not believed.
   */
  watchRules(
    onChange: () => void,
    former?: ReadonlyMap<string, string>,
  ): Watched<ReadonlyMap<string, string>>;
  watchService(
    ref: ServiceRef,
    onChange: () => void,
    former?: readonly Instance[],
  ): Watched<readonly Instance[]>;
  close(): void;
}

/** The containers of the Engine. */
export interface ContainerSource {
  list(): Promise<ReadonlyMap<ContainerId, Container>>;
  /** The running containers, by id. */
  watch(onChange: () => void): Watched<ReadonlyMap<ContainerId, Container>>;
  /**
   * Addresses that the container's own name resolution needs: what the resolv.conf that the Engine wrote
   * for it names, as far as the Engine put it there, without what Docker asks from the host. A workload can
   * make this slow or fail. Fails with an `EngineError`, or a `LoadError` if the container is gone.
   */
  resolvers(container: Container): Promise<readonly string[]>;
  /** The same where it can be told at once from files of this host, else undefined. Never fails. */
  resolversHere(container: Container): Promise<readonly string[] | undefined>;
  /** All that the Engine gave it to choose from; undefined while that is not known. */
  resolversGiven(container: Container): readonly string[] | undefined;
}

/** The network namespace of a running container. */
export interface NamespaceRef {
  /** The container that owns it, for `--network container:` and for messages. */
  readonly owner: ContainerId;
  readonly name: string;
  /** The owner's process on the host, and when it started: pids are reused. */
  readonly pid: number;
  readonly startedAt: string;
  /** Where the Engine keeps the namespace; see `Container`. */
  readonly sandbox?: string | undefined;
}

/** What a namespace says is loaded in it. All undefined: nothing of ours. */
export interface Loaded {
  readonly fingerprint: string | undefined;
  /** The digest of the facts it was loaded with. */
  readonly facts: string | undefined;
  /** SHA-256 of the kernel's own listing of our tables without counters and refusals. */
  readonly digest: string | undefined;
  /** True if the first process of its owner is in another namespace. */
  readonly isLeft?: boolean;
  /** True if rules of others refuse packets there as well, whatever ours allow. */
  readonly hasForeign?: boolean;
}

/** What a look into a namespace has found. */
export interface Sight {
  readonly loaded: Loaded;
  readonly denied: DeniedRecord;
}

/** Loads texts in namespaces. Every method fails with a `LoadError`. */
export interface Dataplane {
  /** Replaces what is loaded in one transaction and reads it back; on failure the old stays. */
  load(namespace: NamespaceRef, text: string): Promise<Loaded>;
  /** The same where rules of ours are loaded: tells also what these had denied, which goes with them. */
  reload(namespace: NamespaceRef, text: string): Promise<Sight>;
  look(namespace: NamespaceRef): Promise<Sight>;
  /** Removes all that is ours. */
  clear(namespace: NamespaceRef): Promise<void>;
  refusals(namespace: NamespaceRef): Promise<DeniedRecord>;
  /**
   * What the namespace has counted of its traffic, to be compared with what it was before: while that is the
   * same, nothing was refused. Cheap; undefined where it cannot be. Never fails.
   */
  traffic(namespace: NamespaceRef): Promise<string | undefined>;
  /** Loads a text in an empty namespace of its own that is thrown away: a check on the real kernel. */
  rehearse(text: string): Promise<void>;
}

/** A text that the gate may load at a container's start. */
export interface PreparedText {
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** As rendered, without facts. */
  readonly text: string;
}

/** The gate, which loads rules before a container's first instruction. */
export interface Gate {
  /** From now on exactly these are prepared. */
  prepare(texts: readonly PreparedText[]): void;
  /** What the gate loaded at exactly this start; undefined if nothing is known of it. */
  loadedAtStart(container: Container): Promise<GateLoaded | undefined>;
}

export interface GateLoaded {
  readonly fingerprint: string;
  /** The resolvers that it allowed. */
  readonly resolvers: readonly string[];
}

/** Structured logs: the message is a constant, what varies is in the fields. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
