/**
 * The invented host's own rules, its networks, and the other hosts of its cluster.
 */
import type { HostAnswer } from '../../src/diagnostics/host-view.ts';
import type { NetworksSummary } from '../../src/diagnostics/networks-view.ts';
import type { HostEntry } from '../../src/live/tables.ts';

const SECOND = 1000;

export const hostOf = (now: number): HostAnswer => ({
  ...{ state: 'loaded', fingerprint: '51f0c2ab9e337d04', verifiedAt: now - 12 * SECOND, unread: [] },
  guard: { mode: 'enforce', families: [4, 6], between: true },
  bridges: [
    { name: 'docker0', subnets: ['172.17.0.0/16'], guarded: true },
    { name: 'br-shop', subnets: ['172.18.0.0/16', 'fd00:18::/64'], guarded: true },
    { name: 'br-monitoring', subnets: ['172.19.0.0/16'], guarded: true },
  ],
  openings: [
    {
      ...{ container: 'shop-web-1', address: '172.18.0.3', protocol: 'tcp', port: 8080, from: 'anyone' },
      origin: 'service shop-web',
    },
    {
      ...{ container: 'monitoring-grafana-1', address: '172.19.0.3', protocol: 'tcp', port: 3000 },
      ...{ from: ['10.0.0.0/8'], origin: 'by hand' },
    },
  ],
  closed: [
    {
      ...{ container: 'shop-db-1', at: '0.0.0.0', protocol: 'tcp', port: 5432, containerPort: 5432 },
    },
  ],
  forwards: [
    {
      ...{ at: 'any address', protocol: 'tcp', port: 443, to: '172.18.0.3', toPort: 8443 },
      ...{ container: 'shop-web-1', origin: 'published port' },
    },
  ],
  permits: [
    {
      ...{ from: '172.19.0.0/16', to: '172.18.0.0/16', protocol: 'tcp', ports: '9100' },
      origin: 'policies[0] of networks.json',
    },
  ],
  byHand: [
    {
      ...{ container: 'monitoring-grafana-1', protocol: 'tcp', port: 3000, kind: 'open' },
      ...{ from: ['10.0.0.0/8'], since: now - 4000 * SECOND },
    },
  ],
  passages: [
    { tool: 'iptables-nft', chain: 'DOCKER-USER', state: 'kept' },
    { tool: 'ip6tables-nft', chain: 'DOCKER-USER', state: 'moved' },
  ],
  problems: [
    {
      severity: 'warning',
      reason: 'tcp/5432 of shop-db-1 is published, but no service opens it; it stays closed',
    },
  ],
});

export const networksOf = (now: number): NetworksSummary => ({
  ...{ path: '/etc/egresstrator/networks.json', readAt: now - 900 * SECOND },
  networks: [
    { path: 'networks[0]', text: 'backend 172.30.0.0/24', state: 'applied' },
    { path: 'networks[1]', text: 'edge 172.31.0.0/24', state: 'pending' },
  ],
  attachments: [
    { path: 'ips[0]', text: 'shop-db-1 172.30.0.10 in backend', state: 'applied' },
    {
      ...{ path: 'ips[1]', text: 'legacy 172.30.0.11 in backend', state: 'waiting' },
      reason: 'no container "legacy" runs',
    },
  ],
  policies: [
    { path: 'policies[0]', text: 'monitoring → shop tcp/9100', state: 'applied' },
    {
      ...{ path: 'policies[1]', text: 'port 8080 of proxy → shop-web-1 tcp/80', state: 'failed' },
      reason: 'the container proxy has no address in a network of shop-web-1',
    },
  ],
  routes: [{ path: 'vpn', text: '10.8.0.0/24 via 172.30.0.1', state: 'applied' }],
  failing: [
    {
      ...{ name: 'nat of proxy', reason: 'netns load nat: No such process' },
      retryAt: now + 20 * SECOND,
    },
  ],
});

export const hostEntries = (now: number): readonly (readonly [string, HostEntry])[] => [
  [
    'node-1',
    {
      ...{ version: '1.0.0', at: now - 20 * SECOND, running: true },
      states: { protected: 4, audit: 1, isolated: 1, failed: 1, pending: 1, unenforceable: 1 },
      workloads: [
        { name: 'shop-api-1', state: 'protected', keys: ['db', 'payments'] },
        { name: 'shop-web-1', state: 'protected', keys: ['db'] },
        { name: 'shop-worker-1', state: 'audit', keys: ['db', 'mail'] },
        { name: 'monitoring-prometheus-1', state: 'failed', keys: ['metrics'] },
      ],
      errors: ['monitoring-prometheus-1: nft: Could not process rule: Cannot allocate memory'],
    },
  ],
  [
    'node-2',
    {
      ...{ version: '1.0.0', at: now - 41 * SECOND, running: true, states: { protected: 2 }, errors: [] },
      workloads: [
        { name: 'billing-api-1', state: 'protected', keys: ['db', 'payments'] },
        { name: 'billing-cron-1', state: 'protected', keys: ['mail'] },
      ],
    },
  ],
  [
    'node-3',
    {
      ...{ version: '0.9.4', at: now - 7200 * SECOND, running: false, states: {}, errors: [], workloads: [] },
    },
  ],
];
