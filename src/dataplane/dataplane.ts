/**
 * Loading rulesets in network namespaces, as the rest of the program sees it.
 */
import type { ContainerId } from '../inventory/container.ts';
import type { DeniedRecord } from '../inventory/denied-record.ts';
import type { Loaded, Ruleset, RulesetOwner } from '../inventory/ruleset.ts';
import type { NamespaceCounters } from './namespace-counters.ts';

export type { Loaded } from '../inventory/ruleset.ts';

/** A reference to the network namespace of a running container. */
export interface NamespaceRef {
  /** The container that owns the namespace, for `--network container:` and for messages. */
  readonly containerId: ContainerId;
  readonly name: string;
  /** The container's first process on the host, and when it started: pids are reused. */
  readonly pid: number;
  readonly startedAt: string;
  /** Where the Engine keeps the namespace; see `Container`. */
  readonly sandbox?: string | undefined;
}

/** The result of an inspection. */
export interface KernelState {
  readonly loaded: Loaded;
  readonly denied: DeniedRecord;
}

/** The same, or that nothing has changed since an earlier inspection: then nothing more was read. */
export interface Inspection {
  readonly loaded: Loaded;
  readonly denied?: DeniedRecord;
}

/** The network namespace of the Engine's host: the one that it gives `--network host`. */
export interface HostRef {
  readonly name: 'the host';
}

export const HOST_REF: HostRef = { name: 'the host' };

/**
 * Loads rulesets in namespaces of one kind. A command for one owner does not touch the rules of others. Every method
 * fails with a `LoadError`.
 */
export interface RulesetDataplane<Ref> {
  /** Replaces the owner's rules in one transaction and reads them back. On a failure the old rules stay. */
  load(namespace: Ref, ruleset: Ruleset): Promise<Loaded>;
  /** The same if the owner has rules there. Also returns their denied destinations, which the load removes. */
  reload(namespace: Ref, ruleset: Ruleset): Promise<KernelState>;
  /** `known`: what is there as far as known. If an inspection has found it, a comparison is cheap. */
  inspect(namespace: Ref, owner: RulesetOwner, known?: Loaded): Promise<Inspection>;
  /** Removes the owner's rules; without an owner, all rules of egresstrator. */
  clear(namespace: Ref, owner?: RulesetOwner): Promise<void>;
  /**
   * Adds elements to a volatile set of the owner's rules, all of them or none, without a load. The form of an element
   * is `192.0.2.7 . tcp . 443 timeout 5m`.
   */
  add(namespace: Ref, owner: RulesetOwner, set: string, elements: readonly string[]): Promise<void>;
  /** The owners that have rules there. */
  owners(namespace: Ref): Promise<readonly RulesetOwner[]>;
  denied(namespace: Ref, owner: RulesetOwner): Promise<DeniedRecord>;
}

export interface Dataplane extends RulesetDataplane<NamespaceRef> {
  /**
   * Counters of the namespace's outgoing packets. While they are unchanged, nothing was denied. Cheap; undefined if it
   * cannot be read. Never fails.
   */
  egressCounters(namespace: NamespaceRef): Promise<string | undefined>;
  /** The same with others, for who looks all the time. Never fails. */
  counters(namespace: NamespaceRef): Promise<NamespaceCounters | undefined>;
  /** Loads a ruleset in an empty temporary namespace, to check it on the real kernel. */
  testLoad(ruleset: Ruleset): Promise<void>;
}

/** No container leads to the host: it has a way of its own. */
export type HostDataplane = RulesetDataplane<HostRef>;
