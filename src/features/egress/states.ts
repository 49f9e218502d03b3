/**
 * The states in which a namespace that holds workloads can be: one definition for status, API, metrics and logs.
 */
import type { Mode } from '../../inventory/workload.ts';
import { isEmpty, type RuleSet } from '../../policy/rule-set.ts';
import { knowsAudit, policyOf } from '../../rendering/policy.ts';
import type { Template } from '../../rendering/template.ts';

/**
 * - `pending`: waits for its first load, for a moment with an edit, or for the rules with those of before in place.
 * - `protected`: the kernel holds what it should, and refuses the rest.
 * - `audit`: as protected, but what would be refused passes and is recorded.
 * - `isolated`: nothing is allowed, since no valid grant is known, or the template allows nothing.
 * - `denylist`: all passes but what keys name that were not granted, by the template of that name.
 * - `custom`: the kernel holds what a user's own template makes of the grants.
 * - `unenforceable`: rules are loaded, but a container in the namespace can remove them.
 * - `failed`: the last attempt to load failed; it is tried again.
 * - `cleared`: an operator has taken the rules away until the container stops.
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

/** What it means that the rules desired are loaded, by the template that made their text. */
export function loadedState(template: Template, mode: Mode, allowed: RuleSet): NamespaceState {
  if (mode === 'audit' && knowsAudit(template)) return 'audit';
  const policy = policyOf(template);
  if (policy === 'denylist' || policy === 'custom') return policy;
  return policy === 'fixed' || isEmpty(allowed) ? 'isolated' : 'protected';
}
