/**
 * The rules until a controller runs again after a reboot. The Engine may give an address to another container then, so
 * nothing is open and nothing is forwarded. Guard and masquerade know only bridges, which keep their names and subnets.
 */
import type { HostRuleSet } from './model.ts';

export const rulesAfterReboot = (rules: HostRuleSet): HostRuleSet => ({
  ...rules,
  openings: [],
  proxied: rules.proxied.map((port) => ({ ...port, from: 'nobody' })),
  forwards: [],
});
