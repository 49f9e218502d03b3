/**
 * The states of a namespace with workloads: one definition for status, API, metrics and logs.
 */
import type { Mode } from '../../inventory/workload.ts';
import type { CompiledPolicy } from '../../policy/compile.ts';
import { isEmpty } from '../../policy/rule-set.ts';
import type { EgressTemplate } from './template.ts';
import { knowsAudit, policyOf } from './template-policy.ts';

/**
 * - `pending`: waits for its first load, for the load of an edit, or for Consul with the previous rules in place.
 * - `protected`: the kernel has the rules, and denies all other traffic.
 * - `audit`: as protected, but denied traffic passes and is recorded.
 * - `isolated`: nothing is allowed, because there is no valid grant or the template allows nothing.
 * - `denylist`: all traffic passes except to destinations of keys that are not granted, by the template of that name.
 * - `custom`: the kernel has the rules of the user's own template.
 * - `unenforceable`: rules are loaded, but a container in the namespace can remove them.
 * - `failed`: the last attempt to load failed; it is tried again.
 * - `cleared`: an operator removed the rules until the container stops.
 */
export const NAMESPACE_STATES = [
  'pending',
  'protected',
  'audit',
  'isolated',
  'denylist',
  'custom',
  'unenforceable',
  'failed',
  'cleared',
] as const;

export type NamespaceState = (typeof NAMESPACE_STATES)[number];

/** The state once the desired rules are loaded, by the template. `hasNames`: rules by name count. */
export function loadedState(
  template: EgressTemplate,
  mode: Mode,
  { ruleSet, names }: CompiledPolicy,
  hasNames = false,
): NamespaceState {
  if (mode === 'audit' && knowsAudit(template)) return 'audit';
  const policy = policyOf(template);
  if (policy === 'denylist' || policy === 'custom') return policy;
  const isNothing = isEmpty(ruleSet) && !(hasNames && names.lines.length > 0);
  return policy === 'fixed' || isNothing ? 'isolated' : 'protected';
}
