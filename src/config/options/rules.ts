/**
 * Options of rules: how they are rendered.
 */
import type { OptionSpec } from './option-spec.ts';

export const RULE_OPTIONS = {
  template: {
    flags: '-f, --template <name|path>',
    variable: 'CONSUL_TEMPLATE',
    fallback: 'nftables',
    help: 'nftables, iptables, denylist, lockdown, or the path of your own template',
  },
  protect: {
    flags: '--protect <addresses>',
    variable: 'EGRESSTRATOR_PROTECT',
    fallback: '169.254.169.254,fd00:ec2::254',
    help: 'addresses that a broad prefix does not grant, separated by commas; "none" for no protection',
  },
  mode: {
    flags: '--mode <enforce|audit>',
    variable: 'EGRESSTRATOR_DEFAULT_MODE',
    fallback: 'enforce',
    help: 'mode of workloads without EGRESSTRATOR_MODE',
  },
} as const satisfies Record<string, OptionSpec>;
