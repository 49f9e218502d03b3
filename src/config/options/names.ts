/**
 * Options of rules by DNS name: who is asked, how long an address stays granted, and limits.
 */
import type { OptionSpec } from './option-spec.ts';

export const NAME_OPTIONS = {
  namesUpstream: {
    flags: '--names-upstream <addresses>',
    variable: 'EGRESSTRATOR_NAMES_UPSTREAM',
    help: 'resolvers for names that rules allow, as 192.0.2.53,[2001:db8::53]:5353 (default: those in /etc/resolv.conf of the host)',
  },
  namesConsul: {
    flags: '--names-consul <address>',
    variable: 'EGRESSTRATOR_NAMES_CONSUL',
    help: "Consul's DNS server, for names below consul (default: port 8600 of the Consul address)",
  },
  namesGrace: {
    flags: '--names-grace <duration>',
    variable: 'EGRESSTRATOR_NAMES_GRACE',
    fallback: '5m',
    help: 'how long an address stays granted beyond the lifetime of its DNS record, at most 24h',
  },
  namesLimit: {
    flags: '--names-limit <name,namespace>',
    variable: 'EGRESSTRATOR_NAMES_LIMIT',
    fallback: '1000,10000',
    help: 'addresses that are granted at once to a name, and to all names of a namespace',
  },
  namesFresh: {
    flags: '--names-fresh <n>',
    variable: 'EGRESSTRATOR_NAMES_FRESH',
    fallback: '100',
    help: 'new names that a workload may ask for in a minute under each wildcard',
  },
  namesRefresh: {
    flags: '--names-refresh <duration>',
    variable: 'EGRESSTRATOR_NAMES_REFRESH',
    fallback: '0',
    help: 'for how long after a question its name is asked again before its grant ends, for programs that keep addresses; 0 for never',
  },
  namesAnswer: {
    flags: '--names-answer <refused|nxdomain>',
    variable: 'EGRESSTRATOR_NAMES_ANSWER',
    fallback: 'refused',
    help: 'the DNS answer for names that no rule allows',
  },
} as const satisfies Record<string, OptionSpec>;
