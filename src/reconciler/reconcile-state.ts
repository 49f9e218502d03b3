/**
 * What the controller remembers of one namespace between two jobs.
 */

import type { Problem } from '../common/problem.ts';
import type { NamespaceState, NamespaceStatus } from '../daemon/status.ts';
import type { Loaded, NamespaceRef } from '../dataplane/dataplane.ts';
import { loadedState } from '../features/egress/loaded-state.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { RuleSet } from '../policy/rule-set.ts';
import type { Template } from '../rendering/template.ts';

/** What a namespace should hold. */
export type Desired =
  | {
      readonly kind: 'rules';
      readonly resolution: CompiledPolicy;
      /** Destinations of keys that were not granted, for templates that speak of them. */
      readonly ungranted: RuleSet | undefined;
      /** False while nothing is known of the rules: rules of before then stay. */
      readonly isKnown: boolean;
      /** True while a part of it may be told in a moment; what is known is right without it, and less. */
      readonly awaits: boolean;
      /** Services that could not be read so far, and grant nothing. */
      readonly unread: readonly string[];
      /** The same of keys that were not granted: a denylist cannot close them. */
      readonly unclosed: readonly string[];
    }
  | { readonly kind: 'nothing' };

export interface ReconcileState {
  namespace: WorkloadNamespace;
  desired: Desired;
  /** What the kernel was last seen to hold; undefined if it must be looked at before anything else. */
  loaded: Loaded | undefined;
  /** True if the kernel must be looked at although `loaded` is known. */
  unseen: boolean;
  /** What it was last known to hold, to recognise an alteration when it is looked at again. */
  expected: Loaded | undefined;
  /** True while that was told by a former run of the controller. */
  isRemembered: boolean;
  /** True if what is loaded may have been altered before anybody looked, so that it must be loaded anew. */
  isDoubtful: boolean;
  /** The fingerprint of rules that something else has loaded in place of ours, until ours are found as they were. */
  rival: string | undefined;
  /** True once this run of the controller has loaded something there. */
  isOurs: boolean;
  /** The resolvers that the last job took. */
  resolvers: readonly string[] | undefined;
  /**
   * For a container that started while we watched: its attachments then. What the gate loaded at the
   * start holds the facts of these.
   */
  startedWith: string | undefined;
  /** The resolvers that the gate allowed at the start, if it loaded anything. */
  gateResolvers: readonly string[] | undefined;
  verifiedAt: number | undefined;
  failures: number;
  lastError: Error | undefined;
  /** A retry, or the first load that waits for Consul's answers. */
  timer: NodeJS.Timeout | undefined;
}

export const NOTHING_LOADED: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };

/**
 * `sinceStart`: the container started while we watched, so only the gate can have loaded something.
 * `remembered`: what a former run of the controller has loaded.
 */
export const newState = (
  namespace: WorkloadNamespace,
  desired: Desired,
  { sinceStart, remembered }: { readonly sinceStart: boolean; readonly remembered?: Loaded | undefined },
): ReconcileState => ({
  namespace,
  desired,
  loaded: undefined,
  unseen: false,
  expected: remembered,
  isRemembered: remembered !== undefined,
  isDoubtful: false,
  rival: undefined,
  isOurs: false,
  resolvers: undefined,
  startedWith: sinceStart ? attachmentsOf(namespace) : undefined,
  gateResolvers: undefined,
  verifiedAt: undefined,
  failures: 0,
  lastError: undefined,
  timer: undefined,
});

/** True if both ask for the same texts. Resolutions are compared by identity: an equal one is shared. */
export function sameDesired(one: Desired, other: Desired): boolean {
  if (one.kind === 'nothing' || other.kind === 'nothing') return one.kind === other.kind;
  return (
    one.resolution === other.resolution &&
    one.ungranted === other.ungranted &&
    one.isKnown === other.isKnown &&
    one.awaits === other.awaits
  );
}

/** True if rules for the one are rules for the other. */
export const sameInputs = (one: WorkloadNamespace, other: WorkloadNamespace): boolean =>
  one.mode === other.mode && one.dns === other.dns && attachmentsOf(one) === attachmentsOf(other);

export function refOf({ target }: WorkloadNamespace): NamespaceRef {
  const { id, name, pid, startedAt, sandbox } = target;
  return { owner: id, name, pid, startedAt, sandbox };
}

export const attachmentsOf = (namespace: WorkloadNamespace): string => namespace.target.attachments.join();

export function stateOf(record: ReconcileState, template: Template): NamespaceState {
  const { namespace, desired, loaded } = record;
  if (record.lastError !== undefined) return 'failed';
  if (desired.kind === 'nothing') return 'cleared';
  const waits = record.timer !== undefined && record.failures === 0;
  if (loaded?.fingerprint === undefined || !desired.isKnown || waits) return 'pending';
  if (namespace.unenforceable) return 'unenforceable';
  return loadedState(template, namespace.mode, desired.resolution.ruleSet);
}

const rivalOf = (fingerprint: string): Problem => ({
  severity: 'error',
  reason: `rules of another egresstrator (${fingerprint}) replaced ours, and were replaced: a second controller on this Engine loads them, or "egresstrator set" with another socket; stop one of the two`,
});

const LEFT: Problem = {
  severity: 'warning',
  reason:
    'its first process has left the network namespace that Docker made for it; the rules are in that namespace, and all its traffic passes there',
};

const FOREIGN: Problem = {
  severity: 'warning',
  reason:
    'rules of other programs deny packets in its network namespace as well, such as those that 0.2 left; see docs/migrating.md',
};

/** `facts`: what is wrong with what was read of it apart from its rules. */
export function statusOf(
  record: ReconcileState,
  template: Template,
  facts: readonly Problem[],
): NamespaceStatus {
  const { namespace, desired } = record;
  return {
    id: namespace.id,
    workloads: namespace.members.map((member) => member.container.name),
    target: namespace.target.name,
    state: stateOf(record, template),
    grants: namespace.grants,
    mode: namespace.mode,
    dns: namespace.dns,
    hasRawSockets: namespace.hasRawSockets,
    fingerprint: record.loaded?.fingerprint,
    verifiedAt: record.verifiedAt,
    lastError: record.lastError?.message,
    problems: [
      ...namespace.waysRound,
      ...(record.rival === undefined ? [] : [rivalOf(record.rival)]),
      ...(record.loaded?.isLeft ? [LEFT] : []),
      ...(record.loaded?.hasForeign ? [FOREIGN] : []),
      ...namespace.members.flatMap((member) => member.workload.problems),
      ...(desired.kind === 'rules' ? problemsOf(desired) : []),
      ...facts,
    ],
  };
}

const problemsOf = ({
  resolution,
  unread,
  unclosed,
}: Extract<Desired, { kind: 'rules' }>): readonly Problem[] => [
  ...resolution.problems,
  ...unread.map((name) => untold(name, 'so it grants nothing until they are')),
  ...unclosed.map((name) => untold(name, 'so the denylist leaves them open until they are')),
];

const untold = (service: string, consequence: string): Problem => ({
  severity: 'error',
  text: service,
  reason: `the instances of this service could not be read, ${consequence}`,
});
