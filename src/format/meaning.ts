/**
 * What states and settings mean, each in a clause: for commands and for the page.
 */
import type { NamespaceState } from '../features/egress/states.ts';
import type { HostState } from '../features/host/states.ts';
import type { IngressState } from '../features/ingress/status.ts';
import type { NamesState, NamesSummary } from '../inventory/names-summary.ts';
import type { DnsPolicy } from '../inventory/workload.ts';
import { many } from './values.ts';

export const STATE_MEANING: Readonly<Record<NamespaceState, string>> = {
  pending: 'it waits for its first rules, or for Consul',
  protected: 'it can reach what its keys allow, and nothing else',
  audit: 'all traffic passes; traffic that enforce would deny is recorded',
  isolated:
    'it can reach nothing, except for DNS: no key grants it anything, the rules are too old (--max-age), or the template is lockdown',
  denylist:
    'it can reach everything except destinations of keys that it was not granted, and foreign NTP and DNS servers',
  custom: 'it has the rules of your own template; egresstrator does not know what these allow',
  unenforceable: 'rules are loaded, but a container in the namespace can remove them',
  failed: 'rules could not be loaded; the load is tried again',
  cleared: 'an operator removed the rules until the container stops',
};

export const INGRESS_MEANING: Readonly<Record<IngressState, string>> = {
  pending: 'it waits for its first rules, or for Consul',
  protected: 'callers that its ingress keys name can reach it, and nobody else',
  audit: 'anyone can reach it; calls that enforce would deny are recorded',
  closed: 'nobody can reach it: no ingress key lets anyone in, or the keys are too old (--max-age)',
  unenforceable: 'rules are loaded, but a container in the namespace can remove them',
  failed: 'rules could not be loaded; the load is tried again',
};

export const DNS_MEANING: Readonly<Record<DnsPolicy, string>> = {
  resolvers: 'port 53 of its own resolvers',
  names: 'the names of its rules, of containers and of services',
  none: 'no DNS',
};

export const BY_HAND = {
  set: 'its keys were set by hand',
  clear: 'its rules were removed by hand',
} as const;

const NAMES: Readonly<Record<NamesState, string>> = {
  ...{ answering: 'answered', waiting: 'not answered yet', unavailable: 'not answered' },
};

export const namesText = ({ state, names, addresses, denied }: NamesSummary): string => {
  const granted = `${many(addresses, 'address')} of ${many(names, 'name')}`;
  return `${NAMES[state]}; ${granted}; ${many(denied, 'name')} denied in the last hour`;
};

export const HOST_MEANING: Readonly<Record<HostState, string>> = {
  off: 'none of --ports, --forwards and --networks was given',
  pending: 'waits for the Engine, Consul or the first load; what is loaded stays meanwhile',
  loaded: 'the kernel has the rules',
  failed: 'the rules could not be loaded; the load is tried again, and what is loaded stays meanwhile',
};
