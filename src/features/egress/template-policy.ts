/**
 * The effect of a template, by name for an included one, and unknown for a user's own.
 */
import { isShipped, type ShippedTemplate } from './catalog.ts';
import type { EgressTemplate } from './template.ts';

/** `fixed`: nothing passes, whatever is granted. `custom`: only who wrote it knows. */
export type Policy = 'allowlist' | 'denylist' | 'fixed' | 'custom';

const POLICIES: Readonly<Record<ShippedTemplate, Policy>> = {
  nftables: 'allowlist',
  iptables: 'allowlist',
  denylist: 'denylist',
  lockdown: 'fixed',
};

export const policyOf = ({ name }: EgressTemplate): Policy => (isShipped(name) ? POLICIES[name] : 'custom');

/** False where `EGRESSTRATOR_MODE=audit` changes nothing. */
export const knowsAudit = ({ mentions }: EgressTemplate): boolean => mentions.has('audit');
