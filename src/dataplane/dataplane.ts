/**
 * Loading rulesets in network namespaces, as the rest of the program sees it.
 */
import type { ContainerId } from '../inventory/container.ts';
import type { DeniedRecord } from '../inventory/denied-record.ts';
import type { Loaded, Ruleset, RulesetOwner } from '../inventory/ruleset.ts';

export type { Loaded } from '../inventory/ruleset.ts';

/** The network namespace of a running container. */
export interface NamespaceRef {
  /** The container that owns it, for `--network container:` and for messages. */
  readonly containerId: ContainerId;
  readonly name: string;
  /** The container's first process on the host, and when it started: pids are reused. */
  readonly pid: number;
  readonly startedAt: string;
  /** Where the Engine keeps the namespace; see `Container`. */
  readonly sandbox?: string | undefined;
}

/** What an inspection of a namespace has found. */
export interface NamespaceState {
  readonly loaded: Loaded;
  readonly denied: DeniedRecord;
}

/** The same, or that nothing has changed since an earlier inspection: then nothing more was read. */
export interface Inspection {
  readonly loaded: Loaded;
  readonly denied?: DeniedRecord;
}

/**
 * Loads rulesets in namespaces. A command for one owner touches nothing of another. Every method fails with a
 * `LoadError`.
 */
export interface Dataplane {
  /** Replaces what the owner has loaded in one transaction and reads it back; on failure the old stays. */
  load(namespace: NamespaceRef, ruleset: Ruleset): Promise<Loaded>;
  /** The same where rules of the owner are loaded: tells also what these had denied, which goes with them. */
  reload(namespace: NamespaceRef, ruleset: Ruleset): Promise<NamespaceState>;
  /** `known`: what is there as far as known. If an inspection has found it, a comparison is cheap. */
  inspect(namespace: NamespaceRef, owner: RulesetOwner, known?: Loaded): Promise<Inspection>;
  /** Removes what the owner has loaded; without an owner, all that egresstrator has loaded. */
  clear(namespace: NamespaceRef, owner?: RulesetOwner): Promise<void>;
  /**
   * Adds elements to a volatile set of what the owner has loaded, all of them or none, without a load. Each is written
   * as `192.0.2.7 . tcp . 443 timeout 5m`.
   */
  add(namespace: NamespaceRef, owner: RulesetOwner, set: string, elements: readonly string[]): Promise<void>;
  /** The owners that have rules there. */
  owners(namespace: NamespaceRef): Promise<readonly RulesetOwner[]>;
  denied(namespace: NamespaceRef, owner: RulesetOwner): Promise<DeniedRecord>;
  /**
   * What the namespace has counted of its traffic, to be compared with what it was before: while that is the
   * same, nothing was denied. Cheap; undefined where it cannot be. Never fails.
   */
  egressCounters(namespace: NamespaceRef): Promise<string | undefined>;
  /** Loads a ruleset in an empty namespace of its own that is thrown away: a check on the real kernel. */
  testLoad(ruleset: Ruleset): Promise<void>;
}
