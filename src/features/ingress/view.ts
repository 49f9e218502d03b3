/**
 * What answers to questions need to know about the callers of one namespace.
 */
import type { ContainerId } from '../../inventory/container.ts';
import type { Mode } from '../../inventory/workload.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { type IngressState, ingressStatusOf, type ReconciledIngress } from './status.ts';

export interface IngressView {
  /** All containers inside, as one address leads to all of them. */
  readonly ids: readonly ContainerId[];
  readonly target: string;
  readonly keys: readonly string[];
  readonly mode: Mode;
  /** Undefined without a controller. */
  readonly state?: IngressState | undefined;
  readonly policy: CompiledPolicy;
}

export const ingressViewOf = (one: ReconciledIngress): IngressView => {
  const { namespace, rules } = one.desired;
  const { target, keys, mode, state } = ingressStatusOf(one);
  return { ids: namespace.inside.map(({ id }) => id), target, keys, mode, state, policy: rules.policy };
};
