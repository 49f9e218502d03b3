/**
 * The status of one namespace with workloads: its state and problems, from desired and observed.
 */
import { type Problem, unreadService } from '../../common/problem.ts';
import type { DeniedSummary } from '../../inventory/denied-record.ts';
import type { NamesSummary } from '../../inventory/names-summary.ts';
import type { NamespaceId } from '../../inventory/namespace.ts';
import type { DnsPolicy, Mode } from '../../inventory/workload.ts';
import type { Reconciled } from '../feature.ts';
import type { DesiredRules, EgressDesired } from './desired.ts';
import { dnsOf, type NameSupport, nameProblems } from './name-rules.ts';
import type { ActiveOverride } from './overrides.ts';
import { loadedState, type NamespaceState } from './states.ts';

/** What the reconciler knows of it. */
export interface EgressState extends Reconciled<EgressDesired> {
  readonly isReleased: boolean;
  /** As `observed`, also after a failure; with the fingerprint of what another has loaded in place of ours. */
  readonly last: { readonly replacedBy: string | undefined } | undefined;
}

export interface NamespaceStatus {
  readonly id: NamespaceId;
  /** Names of the workloads inside. */
  readonly workloads: readonly string[];
  readonly target: string;
  readonly state: NamespaceState;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** True if a container inside can open raw sockets; AF_XDP can bypass the rules. */
  readonly hasRawSockets: boolean;
  /** The loaded fingerprint; undefined if nothing is loaded, as far as known. */
  readonly fingerprint: string | undefined;
  /** When it was loaded or last verified, in ms since the epoch. */
  readonly verifiedAt: number | undefined;
  readonly lastError: string | undefined;
  /** The loader of the last load, helper or nsenter; undefined if this run loaded nothing. */
  readonly loader?: string | undefined;
  readonly problems: readonly Problem[];
  /** An operator's override; undefined if it has its own keys. */
  readonly byHand?: Pick<ActiveOverride, 'kind' | 'since'> | undefined;
  /** Undefined where its names are not answered in its place. */
  readonly names?: NamesSummary | undefined;
  /** Undefined until the record of denied destinations is read. */
  readonly denied?: Omit<DeniedSummary, 'unlistedAt'> | undefined;
}

export function stateOf(state: EgressState, support: NameSupport): NamespaceState {
  const { desired, observed, condition } = state;
  const { namespace, rules } = desired;
  if (condition === 'failed') return 'failed';
  if (condition === 'released') return 'cleared';
  if (condition === 'pending' || observed?.loaded.fingerprint === undefined || !rules.isKnown)
    return 'pending';
  if (namespace.unenforceable) return 'unenforceable';
  const { template } = support;
  const hasNames = dnsOf(namespace, rules.policy, support) === 'names';
  return loadedState(template, namespace.mode, rules.policy, hasNames);
}

const replacedByOther = (fingerprint: string): Problem => ({
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
  state: EgressState,
  support: NameSupport,
  facts: readonly Problem[],
): NamespaceStatus {
  const { desired, observed, last, isReleased, verifiedAt, lastError } = state;
  const { namespace, rules } = desired;
  const { loaded } = observed ?? {};
  return {
    id: namespace.id,
    workloads: namespace.members.map((member) => member.container.name),
    target: namespace.target.name,
    state: stateOf(state, support),
    grants: namespace.grants,
    mode: namespace.mode,
    dns: dnsOf(namespace, rules.policy, support),
    hasRawSockets: namespace.hasRawSockets,
    fingerprint: loaded?.fingerprint,
    verifiedAt,
    lastError: lastError?.message,
    problems: [
      ...namespace.bypasses,
      ...(last?.replacedBy === undefined ? [] : [replacedByOther(last.replacedBy)]),
      ...(loaded?.hasProcessLeft ? [LEFT] : []),
      ...(loaded?.hasForeign ? [FOREIGN] : []),
      ...namespace.members.flatMap((member) => member.workload.problems),
      ...(isReleased ? [] : [...problemsOf(rules), ...nameProblems(namespace, rules.policy, support)]),
      ...facts,
    ],
  };
}

const problemsOf = ({ policy, unread, unclosed }: DesiredRules): readonly Problem[] => [
  ...policy.problems,
  ...unread.map((name) => unreadService(name, 'it grants nothing until they are')),
  ...unclosed.map((name) => unreadService(name, 'the denylist leaves them open until they are')),
];
