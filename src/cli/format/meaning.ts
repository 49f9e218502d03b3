/**
 * What the states of rules mean, each in a clause: for commands and for the page.
 */
import type { NamespaceState } from '../../features/egress/states.ts';
import type { IngressState } from '../../features/ingress/status.ts';

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
