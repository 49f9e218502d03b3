/**
 * Loading rules in a network namespace, as the rest of the program sees it.
 */
import type { ContainerId } from '../inventory/container.ts';
import type { DeniedRecord } from '../inventory/denied-record.ts';
import type { Loaded } from '../inventory/ruleset.ts';

export type { Loaded } from '../inventory/ruleset.ts';

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

/** What a look into a namespace has found. */
export interface NamespaceState {
  readonly loaded: Loaded;
  readonly denied: DeniedRecord;
}

/** Loads texts in namespaces. Every method fails with a `LoadError`. */
export interface Dataplane {
  /** Replaces what is loaded in one transaction and reads it back; on failure the old stays. */
  load(namespace: NamespaceRef, text: string): Promise<Loaded>;
  /** The same where rules of ours are loaded: tells also what these had denied, which goes with them. */
  reload(namespace: NamespaceRef, text: string): Promise<NamespaceState>;
  inspect(namespace: NamespaceRef): Promise<NamespaceState>;
  /** Removes all that is ours. */
  clear(namespace: NamespaceRef): Promise<void>;
  denied(namespace: NamespaceRef): Promise<DeniedRecord>;
  /**
   * What the namespace has counted of its traffic, to be compared with what it was before: while that is the
   * same, nothing was refused. Cheap; undefined where it cannot be. Never fails.
   */
  egressCounters(namespace: NamespaceRef): Promise<string | undefined>;
  /** Loads a text in an empty namespace of its own that is thrown away: a check on the real kernel. */
  testLoad(text: string): Promise<void>;
}
