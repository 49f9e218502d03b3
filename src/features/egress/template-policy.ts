/**
 * The effect of a template, by name for an included one, and unknown for a user's own.
 */
import { type IncludedTemplate, isIncluded } from './included-templates.ts';
import type { EgressTemplate } from './template.ts';

/** `fixed`: nothing passes, whatever is granted. `custom`: not known. */
export type Policy = 'allowlist' | 'denylist' | 'fixed' | 'custom';

const POLICIES: Readonly<Record<IncludedTemplate, Policy>> = {
  nftables: 'allowlist',
  iptables: 'allowlist',
  denylist: 'denylist',
  lockdown: 'fixed',
};

export const policyOf = ({ name }: EgressTemplate): Policy => (isIncluded(name) ? POLICIES[name] : 'custom');

/** False if `EGRESSTRATOR_MODE=audit` has no effect. */
export const knowsAudit = ({ mentions }: EgressTemplate): boolean => mentions.has('audit');
