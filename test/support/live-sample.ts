/**
 * The live state of an invented host, as a page shows it: about a dozen workloads in three compose projects, in every
 * state, with denials, names, rules of the host and more. And one of a large host.
 */
import type { DeniedRow } from '../../src/diagnostics/denied-answer.ts';
import type { DeniedCall } from '../../src/diagnostics/denied-in.ts';
import type { NamespaceState } from '../../src/features/egress/states.ts';
import type { NamesReport } from '../../src/features/names/name-report.ts';
import type { Instance } from '../../src/inventory/service.ts';
import { EMPTY_STATE, type LiveState } from '../../src/live/state.ts';
import { deniedId, type TimelineEvent, type WorkloadEntry } from '../../src/live/tables.ts';
import { hostEntries, hostOf, networksOf } from './live-sample-host.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** `now`: the present time, in ms since the epoch. */
export function liveSample(now: number): LiveState {
  return {
    ...EMPTY_STATE,
    controller: new Map([['controller', controllerOf(now)]]),
    sources: byName([
      { name: 'docker', known: true, confirmedAt: now - 2 * SECOND },
      { name: 'rules', known: true, confirmedAt: now - 4 * SECOND },
      { name: 'catalog', known: true, confirmedAt: now - 6 * SECOND },
      ...Object.keys(SERVICES)
        .filter((name) => name !== 'search')
        .map((name) => ({ name: `service ${name}`, known: true, confirmedAt: now - 9 * SECOND })),
      {
        ...{ name: 'service search', known: false },
        error: 'Consul answered 403: Permission denied: token lacks service:read on "search"',
      },
    ]),
    workloads: new Map(workloadsOf(now).map((one) => [one.id, one])),
    ingress: new Map([
      [
        idOf('db'),
        {
          ...{ id: idOf('db'), workloads: ['shop-db-1'], target: 'shop-db-1', state: 'protected' },
          ...{ keys: ['callers/db'], mode: 'enforce', fingerprint: '77aa01bc9d2e4f60' },
          ...{ verifiedAt: now - 31 * SECOND, lastError: undefined, problems: [] },
        },
      ],
    ]),
    unsupported: byName([
      {
        ...{ name: 'node-exporter', id: 'e'.repeat(64) },
        problem: {
          severity: 'error',
          reason: 'it uses the network of the host, where rules would be about the host itself',
        },
      },
    ]),
    notEnabled: byName([
      {
        name: 'reports-cron-1',
        problem: {
          severity: 'warning',
          reason: 'it names ACL keys (EGRESSTRATOR_ACL), but not EGRESSTRATOR_ENABLE=1, so it has no rules',
        },
      },
    ]),
    keys: new Map(Object.entries(KEYS).map(([key, text]) => [key, { text }])),
    ingressKeys: new Map([['callers/db', { text: '# who may use the database\nshop-api:tcp/5432\n' }]]),
    services: new Map(
      Object.entries(SERVICES).map(([name, instances]) => [
        name,
        { instances, ...(name === 'search' && { unread: 'Permission denied' }) },
      ]),
    ),
    denied: new Map(deniedOf(now).map((row) => [deniedId(row), row])),
    deniedNames: new Map(DENIED_NAMES(now).map((row) => [`${row.container} ${row.name}`, row] as const)),
    deniedRecords: new Map(
      workloadsOf(now).map(({ target, mode }) => [
        target,
        {
          ...{ mode, readAt: now - 2 * SECOND, covers: 60 * MINUTE },
          summary: {
            ...{ packets: target === 'shop-api-1' ? 1906 : 12, spoofed: 0, frames: 0, unlisted: 0 },
            ...{ isFull: false, unlistedAt: [] },
          },
        },
      ]),
    ),
    deniedCalls: new Map(
      callsOf(now).map((call) => [`${call.source} ${call.container} ${call.port}`, call] as const),
    ),
    names: new Map([[idOf('worker'), namesOf(now)]]),
    host: new Map([['host', hostOf(now)]]),
    networks: new Map([['networks', networksOf(now)]]),
    events: new Map(eventsOf(now).map((event, at) => [String(at + 1), event])),
    hosts: new Map(hostEntries(now)),
  };
}

const byName = <T extends { readonly name: string }>(entries: readonly T[]): ReadonlyMap<string, T> =>
  new Map(entries.map((entry) => [entry.name, entry]));

const controllerOf = (now: number) => ({
  ...{ version: '1.0.0', node: 'node-1', loader: 'nsenter', template: 'default-nft' },
  ...{ startedAt: now - 3 * 86_400_000, kvPath: 'egress/acl/', ingressPath: 'egress/ingress/' },
  ...{ consul: 'http://127.0.0.1:8500', docker: '/var/run/docker.sock', mode: 'enforce' as const },
  ...{ denylist: false, recordsDenied: true, protectedHosts: ['169.254.169.254/32'], isReady: true },
  ...{ unreadable: [], publish: 'egress/status/node-1' },
});

/** Texts of keys, as in Consul. */
const KEYS: Readonly<Record<string, string>> = {
  db: '# the databases of the shop\nproduction.postgresql\nredis\n',
  mail: 'smtp.example.net:tcp/587\n# the relay of the office\n198.51.100.25/32:tcp/25\n',
  payments: 'api.stripe.com:tcp/443\n*.paypal.com:tcp/443\n',
  metrics: '10.0.9.0/24:tcp/9090-9100\nstatsd:udp\n10.0.9.5/24:tcp/4317\n',
  search: 'search\n',
  everything: '0.0.0.0/0\n',
  old: '',
  broken: 'postgresql:tcp/99999\n10.0.0.300\nredis\n',
};

const instance = (address: string, port: number, node: string, ...tags: readonly string[]): Instance => ({
  ...{ address, port, node, tags },
});

const SERVICES: Readonly<Record<string, readonly Instance[]>> = {
  postgresql: [
    instance('10.0.1.11', 5432, 'node-1', 'production', 'primary'),
    instance('10.0.1.12', 5432, 'node-2', 'production'),
    instance('10.0.1.40', 5432, 'node-3', 'staging'),
  ],
  redis: [instance('10.0.1.21', 6379, 'node-2')],
  statsd: [instance('10.0.9.8', 8125, 'node-3')],
  search: [],
  billing: [instance('10.0.3.7', 8443, 'node-3', 'v2')],
};

/** Ids of containers are 64 digits. */
const containerId = (word: string): string =>
  [...word, ...'0123456789abcdef'.repeat(4)]
    .map((letter) => (letter.codePointAt(0) ?? 0) % 16)
    .map((digit) => digit.toString(16))
    .join('')
    .slice(0, 64);

const idOf = (word: string): string => `${containerId(word)}@2026-11-26T08:00:00Z`;

interface Given extends Partial<WorkloadEntry> {
  readonly word: string;
  readonly name: string;
  readonly state: NamespaceState;
}

const workload = (now: number, { word, name, ...given }: Given): WorkloadEntry => ({
  ...{ id: idOf(word), ids: [containerId(word)], workloads: [name], target: name, grants: [] },
  ...{ mode: 'enforce', dns: 'resolvers', hasRawSockets: false, resolvers: ['127.0.0.11'] },
  ...{ fingerprint: `${containerId(word).slice(0, 16)}`, verifiedAt: now - 31 * SECOND },
  ...{ lastError: undefined, loader: 'nsenter', problems: [] },
  ...given,
});

const workloadsOf = (now: number): readonly WorkloadEntry[] => {
  const make = (given: Given) => workload(now, given);
  return [
    make({
      ...{ word: 'api', name: 'shop-api-1', project: 'shop', state: 'protected' },
      ...{ grants: ['db', 'payments'], dns: 'names', hasRawSockets: true },
      names: { state: 'answering', names: 2, addresses: 5, denied: 2 },
    }),
    make({ word: 'web', name: 'shop-web-1', project: 'shop', state: 'protected', grants: ['db'] }),
    make({
      ...{ word: 'worker', name: 'shop-worker-1', project: 'shop', state: 'audit', mode: 'audit' },
      ...{ grants: ['db', 'mail'], dns: 'names' },
      names: { state: 'answering', names: 1, addresses: 2, denied: 1 },
    }),
    make({
      ...{ word: 'db', name: 'shop-db-1', project: 'shop', state: 'isolated', dns: 'none' },
    }),
    make({
      ...{ word: 'sync', name: 'shop-sync-1', project: 'shop', state: 'unenforceable', grants: ['broken'] },
      problems: [
        {
          severity: 'error',
          reason:
            'it has CAP_NET_ADMIN, so it can remove the rules; start it without --privileged and --cap-add',
        },
        {
          ...{ severity: 'error', key: 'broken', line: 1, text: 'postgresql:tcp/99999' },
          reason: 'expected a port from 1 to 65535, found 99999',
        },
        {
          ...{ severity: 'error', key: 'broken', line: 2, text: '10.0.0.300' },
          reason: 'expected an address, a prefix, a name or a service',
        },
      ],
    }),
    make({
      ...{ word: 'grafana', name: 'monitoring-grafana-1', project: 'monitoring', state: 'protected' },
      ...{ grants: ['metrics'] },
    }),
    make({
      ...{ word: 'prometheus', name: 'monitoring-prometheus-1', project: 'monitoring', state: 'failed' },
      ...{ grants: ['metrics'], fingerprint: undefined, verifiedAt: undefined },
      lastError: 'netns load egress: nft: Could not process rule: Cannot allocate memory',
    }),
    make({
      ...{ word: 'agent', name: 'monitoring-agent-1', project: 'monitoring', state: 'denylist' },
      ...{ grants: ['metrics'] },
    }),
    make({
      ...{ word: 'builder', name: 'ci-builder-1', project: 'ci', state: 'cleared', fingerprint: undefined },
      byHand: { kind: 'clear', since: now - 22 * MINUTE },
    }),
    make({
      ...{ word: 'runner', name: 'ci-runner-1', project: 'ci', state: 'pending', fingerprint: undefined },
      ...{ grants: ['search'], verifiedAt: undefined },
      problems: [
        {
          ...{ severity: 'error', key: 'search', line: 1, text: 'search' },
          reason: 'the instances of this service could not be read, so it grants nothing until they are',
        },
      ],
    }),
    make({
      ...{ word: 'vpn', name: 'vpn', state: 'protected', grants: ['mail'] },
      ...{ workloads: ['vpn', 'torrent'], ids: [containerId('vpn'), containerId('torrent')] },
    }),
    make({ word: 'scratch', name: 'quirky_<b>name</b>', state: 'custom', grants: ['everything'] }),
  ];
};

const denied = (
  now: number,
  [container, address, protocol, port]: readonly [string, string, string, number?],
  [packets, first, last]: readonly [number, number, number],
  [services, keys]: readonly [readonly string[], readonly string[]] = [[], []],
): DeniedRow => ({
  ...{ container, address, protocol, packets, services, keys, ...(port !== undefined && { port }) },
  ...{ firstSeenAt: now - first * SECOND, lastSeenAt: now - last * SECOND },
});

const deniedOf = (now: number): readonly DeniedRow[] => [
  denied(now, ['shop-api-1', '10.0.3.7', 'tcp', 8443], [1840, 2900, 3], [['billing'], []]),
  denied(now, ['shop-api-1', '198.51.100.25', 'tcp', 25], [57, 1800, 41], [[], ['mail']]),
  denied(now, ['shop-api-1', '169.254.169.254', 'tcp', 80], [9, 3300, 610]),
  denied(now, ['shop-web-1', '10.0.9.8', 'udp', 8125], [412, 3400, 1], [['statsd:udp'], ['metrics']]),
  denied(now, ['shop-web-1', '2001:db8:20::443:1', 'tcp', 443], [6, 300, 120]),
  denied(now, ['shop-worker-1', '10.0.1.40', 'tcp', 5432], [33, 2400, 15], [['staging.postgresql'], []]),
  denied(now, ['shop-worker-1', '203.0.113.9', 'icmp', 8], [4, 900, 600]),
  denied(now, ['monitoring-grafana-1', '203.0.113.80', 'tcp', 443], [18, 3500, 200]),
  denied(now, ['vpn', '10.0.1.21', 'tcp', 6379], [2, 50, 48], [['redis'], ['db', 'broken']]),
  denied(now, ['vpn', '224.0.0.251', '2'], [11, 1000, 130]),
];

const DENIED_NAMES = (now: number) => [
  {
    ...{ container: 'shop-api-1', name: 'api.sendgrid.com', cause: 'name' as const, types: ['A', 'AAAA'] },
    ...{ count: 28, firstSeenAt: now - 2000 * SECOND, lastSeenAt: now - 12 * SECOND, keys: [] },
  },
  {
    ...{ container: 'shop-worker-1', name: 'smtp.example.org', cause: 'name' as const, types: ['A'] },
    ...{ count: 3, firstSeenAt: now - 900 * SECOND, lastSeenAt: now - 480 * SECOND, keys: [] },
  },
  {
    ...{ container: 'shop-api-1', name: 'www.paypal.com', cause: 'address' as const, types: ['A'] },
    reason: '10.0.3.9: no rule grants this address, which is not public',
    ...{ count: 2, firstSeenAt: now - 700 * SECOND, lastSeenAt: now - 660 * SECOND, keys: [] },
  },
];

const callsOf = (now: number): readonly DeniedCall[] => [
  {
    ...{ source: '172.18.0.7', address: '172.18.0.4', container: 'shop-db-1', protocol: 'tcp', port: 5432 },
    ...{ packets: 21, gate: 'ingress', firstSeenAt: now - 1200 * SECOND, lastSeenAt: now - 20 * SECOND },
  },
  {
    ...{ source: '203.0.113.77', address: '172.19.0.3', container: 'monitoring-grafana-1', protocol: 'tcp' },
    ...{ port: 3000, packets: 140, firstSeenAt: now - 3000 * SECOND, lastSeenAt: now - 5 * SECOND },
  },
];

const namesOf = (now: number): NamesReport => ({
  ...{ state: 'answering', reasons: [], unlisted: 0, unanswered: 0, dropped: 0 },
  grants: [
    { name: 'smtp.example.net', address: '198.51.100.30', ports: 'tcp/587', until: now + 4 * MINUTE },
    { name: 'smtp.example.net', address: '2001:db8::30', ports: 'tcp/587', until: now + 4 * MINUTE },
  ],
  denied: [
    {
      ...{ name: 'smtp.example.org', cause: 'name', types: ['A'], count: 3 },
      ...{ firstSeenAt: now - 900 * SECOND, lastSeenAt: now - 480 * SECOND },
    },
  ],
  counts: {
    ...{ asked: 640, answered: 637, malformed: 0 },
    denied: { name: 3, type: 0, fresh: 0, address: 0, limit: 0, failed: 0 },
  },
});

const eventsOf = (now: number): readonly TimelineEvent[] => [
  { at: now - 4000 * SECOND, kind: 'controller', subject: 'node-1', text: 'egresstrator 1.0.0 started' },
  {
    ...{ at: now - 3600 * SECOND, kind: 'key', subject: 'payments' },
    text: 'one line added: *.paypal.com:tcp/443',
  },
  {
    ...{ at: now - 3599 * SECOND, kind: 'load', subject: 'shop-api-1', took: 16 },
    text: 'rules loaded by nsenter',
  },
  {
    ...{ at: now - 2500 * SECOND, kind: 'source', subject: 'rules', isProblem: true },
    text: 'Consul does not answer: connect ECONNREFUSED 127.0.0.1:8500',
  },
  { at: now - 2440 * SECOND, kind: 'source', subject: 'rules', text: 'Consul answers again' },
  {
    ...{ at: now - 1320 * SECOND, kind: 'override', subject: 'ci-builder-1', isProblem: true },
    text: 'an operator removed the rules until the container stops',
  },
  {
    ...{ at: now - 1100 * SECOND, kind: 'repair', subject: 'shop-web-1', took: 14 },
    text: 'the rules were changed by another program, and were loaded again',
  },
  { at: now - 340 * SECOND, kind: 'workload', subject: 'ci-runner-1', text: 'started' },
  {
    ...{ at: now - 45 * SECOND, kind: 'load', subject: 'monitoring-prometheus-1', isProblem: true },
    text: 'netns load egress: nft: Could not process rule: Cannot allocate memory',
  },
  { at: now - 20 * SECOND, kind: 'key', subject: 'db', text: 'one line removed: statsd:udp' },
  {
    ...{ at: now - 19 * SECOND, kind: 'load', subject: 'shop-web-1', took: 12 },
    text: 'rules loaded by nsenter',
  },
];

/** A large host: many workloads in projects of ten, and many denials. */
export function largeSample(now: number, workloads = 1000, denials = 10_000): LiveState {
  const small = liveSample(now);
  const entries = Array.from({ length: workloads }, (_one, at) => largeWorkload(now, at));
  const rows = Array.from({ length: denials }, (_one, at) => largeDenial(now, at, workloads));
  return {
    ...small,
    workloads: new Map(entries.map((one) => [one.id, one])),
    denied: new Map(rows.map((row) => [deniedId(row), row])),
  };
}

const largeName = (at: number): string => `project${Math.floor(at / 10)}-service${at % 10}-1`;

const largeWorkload = (now: number, at: number): WorkloadEntry =>
  workload(now, {
    ...{ word: `large${at}`, name: largeName(at), project: `project${Math.floor(at / 10)}` },
    id: `${at.toString(16).padStart(64, '0')}@2026-11-26T08:00:00Z`,
    state: at % 211 === 0 ? 'failed' : at % 13 === 0 ? 'audit' : 'protected',
    grants: ['db', 'metrics', 'mail'].slice(0, 1 + (at % 3)),
  });

const largeDenial = (now: number, at: number, workloads: number): DeniedRow =>
  denied(
    now,
    [
      largeName(at % workloads),
      `10.${20 + (at % 7)}.${Math.floor(at / 250)}.${at % 250}`,
      'tcp',
      443 + (at % 9),
    ],
    [1 + ((at * 7919) % 5000), 3000 - (at % 2900), at % 90],
    at % 5 === 0 ? [['billing'], ['metrics']] : [[], []],
  );
