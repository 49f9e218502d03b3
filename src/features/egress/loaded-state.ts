/**
 * What it means that the rules wanted are loaded, by the template that made their text.
 */

import type { NamespaceState } from '../../daemon/status.ts';
import type { Mode } from '../../inventory/workload.ts';
import { isEmpty, type RuleSet } from '../../policy/rule-set.ts';
import { knowsAudit, policyOf } from '../../rendering/policy.ts';
import type { Template } from '../../rendering/template.ts';

export function loadedState(template: Template, mode: Mode, allowed: RuleSet): NamespaceState {
  if (mode === 'audit' && knowsAudit(template)) return 'audit';
  const policy = policyOf(template);
  if (policy === 'denylist' || policy === 'custom') return policy;
  return policy === 'fixed' || isEmpty(allowed) ? 'isolated' : 'protected';
}
