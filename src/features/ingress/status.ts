/**
 * The status of the ingress rules of one namespace, from desired and observed.
 */
import { type Problem, unreadService } from '../../common/problem.ts';
import type { NamespaceId } from '../../inventory/namespace.ts';
import type { Mode } from '../../inventory/workload.ts';
import { isEmpty } from '../../policy/rule-set.ts';
import type { Reconciled } from '../feature.ts';
import type { IngressDesired } from './desired.ts';

/**
 * - `pending`: waits for its first load, for the load of an edit, or for Consul with the previous rules in place.
 * - `protected`: the kernel has the rules, and denies all other calls.
 * - `audit`: as protected, but denied calls pass and are recorded.
 * - `closed`: nobody may call, because there is no valid key or the keys name nobody.
 * - `unenforceable`: rules are loaded, but a container in the namespace can remove them.
 * - `failed`: the last attempt to load failed; it is tried again.
 */
export const INGRESS_STATES = ['pending', 'protected', 'audit', 'closed', 'unenforceable', 'failed'] as const;

export type IngressState = (typeof INGRESS_STATES)[number];

export type ReconciledIngress = Reconciled<IngressDesired>;

export interface IngressStatus {
  readonly id: NamespaceId;
  /** Names of the containers inside that name ingress keys. */
  readonly workloads: readonly string[];
  readonly target: string;
  readonly state: IngressState;
  readonly keys: readonly string[];
  readonly mode: Mode;
  /** The loaded fingerprint; undefined if nothing is loaded, as far as known. */
  readonly fingerprint: string | undefined;
  /** When it was loaded or last verified, in ms by the controller's clock. */
  readonly verifiedAt: number | undefined;
  readonly lastError: string | undefined;
  readonly problems: readonly Problem[];
}

export function ingressStatusOf(state: ReconciledIngress): IngressStatus {
  const { desired, observed, verifiedAt, lastError } = state;
  const { id, members, target, keys, mode } = desired.namespace;
  return {
    ...{ id, target: target.name, keys, mode, verifiedAt },
    workloads: members.map(({ container }) => container.name),
    state: stateOf(state),
    fingerprint: observed?.loaded.fingerprint,
    lastError: lastError?.message,
    problems: problemsOf(desired),
  };
}

function stateOf({ desired, observed, condition }: ReconciledIngress): IngressState {
  const { namespace, rules } = desired;
  if (condition === 'failed') return 'failed';
  if (condition !== 'inSync' || observed?.loaded.fingerprint === undefined || !rules.isKnown)
    return 'pending';
  if (namespace.inside.some(({ canBypassRules }) => canBypassRules)) return 'unenforceable';
  if (namespace.mode === 'audit') return 'audit';
  return isEmpty(rules.policy.ruleSet) ? 'closed' : 'protected';
}

/** An ingress key may have the name of an ACL key, so the kind is in front. */
const problemsOf = ({ namespace, rules }: IngressDesired): readonly Problem[] => [
  ...namespace.members.flatMap(({ workload }) => workload.problems),
  ...rules.policy.problems.map(ofIngressKey),
  ...rules.unread.map((name) => unreadService(name, 'none of them is let in until they are')),
];

const ofIngressKey = (problem: Problem): Problem =>
  problem.key === undefined ? problem : { ...problem, key: `ingress ${problem.key}` };
