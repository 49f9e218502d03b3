/** What the metrics tell, and that the dashboard and the alerts speak of metrics that exist. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LoadError } from '../../../../src/common/errors.ts';
import { measured, type ObservedLoad } from '../../../../src/daemon/metrics/measured-dataplane.ts';
import { Metrics } from '../../../../src/daemon/metrics/metrics.ts';
import type { Status } from '../../../../src/daemon/status.ts';
import type { NamesReport } from '../../../../src/features/names/name-report.ts';
import type { DeniedSummary } from '../../../../src/inventory/denied-record.ts';
import type { Ruleset } from '../../../../src/inventory/ruleset.ts';
import { FakeKernel } from '../../../support/fakes.ts';

const problem = { severity: 'error', key: 'db', line: 3, reason: 'expected a protocol' } as const;
const namespace = (state: Status['namespaces'][number]['state']): Status['namespaces'][number] => ({
  ...{ id: 'a@0', workloads: ['a'], target: 'a', state, grants: ['db'], mode: 'enforce', dns: 'none' },
  ...{ hasRawSockets: true, fingerprint: 'f', verifiedAt: 1, lastError: undefined, problems: [problem] },
});
const source = (name: string, confirmedAt: number | undefined, error?: string) => ({
  ...{ name, known: true, confirmedAt, error },
});

const status: Status = {
  namespaces: [namespace('protected'), namespace('protected'), namespace('failed')],
  sources: [
    source('rules', 5_000),
    source('containers', undefined, 'gone'),
    source('service a', 9_000),
    { ...source('service b', 7_000, 'refused'), outdated: true },
  ],
  networks: {
    ...{ path: '/etc/networks.json', readAt: 4_000, error: 'it is empty', attachments: [], routes: [] },
    networks: [
      { path: 'networks.back', state: 'applied' },
      { path: 'networks.front', state: 'failed', reason: 'no room' },
    ],
    policies: [{ path: 'policies[0]', state: 'waiting' }],
    failing: [{ name: 'networks.front', reason: 'no room' }],
  },
  unsupported: [],
};

const where = {
  containerId: 'a',
  name: 'a',
  pid: 1,
  startedAt: '2026-01-01T00:00:00Z',
} as const;

const ruleset = (text: string): Ruleset => ({ owner: 'egress', text, fingerprint: '12ab' });

const summary = (packets: number, more: Partial<DeniedSummary> = {}): DeniedSummary => ({
  ...{ packets, spoofed: 0, frames: 0, unlisted: 0, isFull: false, unlistedAt: [] },
  ...more,
});

const NAMES: NamesReport = {
  ...{ unanswered: 4, dropped: 8 },
  ...{ state: 'answering', reasons: [], denied: [], unlisted: 0 },
  grants: ['tcp/443', 'udp/443'].map((ports) => ({ name: 'a', address: '1.1.1.1', ports, until: 1 })),
  counts: {
    ...{ asked: 90, answered: 60, malformed: 2 },
    denied: { name: 10, type: 4, fresh: 3, address: 2, limit: 5, failed: 7 },
  },
};

const metrics = (denied: ReadonlyMap<string, DeniedSummary> = new Map()) =>
  new Metrics({
    version: '1.2.3',
    loaders: ['nsenter', 'helper'],
    status: () => status,
    denied: () => denied,
    deniedCalls: () => new Map([['called', summary(5, { isFull: true })]]),
    hasNetworks: true,
    names: () => new Map([['shop', NAMES]]),
    nameResolvers: () => ({
      upstream: { asked: 50, cached: 30, shared: 10, failed: 3, waited: 1_500 },
      consul: { asked: 0, cached: 0, shared: 0, failed: 0, waited: 0 },
    }),
    host: {
      summary: () => ({
        ...{ state: 'failed', openings: 3, closed: 2, permits: 0, forwards: 1 },
        problems: [{ severity: 'warning', reason: 'claimed twice' }],
        passages: [{ tool: 'iptables-nft', chain: 'DOCKER-USER', state: 'kept' }],
      }),
      denied: () => ({ packets: 7, isFull: true }),
    },
  });

/** Asserts that the text has each of these lines. */
const expectLines = (text: string, lines: readonly string[]): void =>
  expect(text.split('\n')).toEqual(expect.arrayContaining([...lines]));

const textOf = async (one: Metrics): Promise<string> => (await one.render()).text;

test('namespaces, problems and sources are told as they are when somebody asks', async () => {
  const text = await textOf(metrics());
  expectLines(text, [
    'egresstrator_build_info{version="1.2.3"} 1',
    'egresstrator_namespaces{state="protected"} 2',
    'egresstrator_namespaces{state="isolated"} 0',
    'egresstrator_rule_problems{severity="error"} 1',
    'egresstrator_source_confirmed_timestamp_seconds{source="rules"} 5',
    'egresstrator_source_confirmed_timestamp_seconds{source="services"} 7',
  ]);
  expect(text).not.toContain('egresstrator_source_confirmed_timestamp_seconds{source="containers"}');
  expectLines(text, [
    'egresstrator_sources_failing{source="services"} 1',
    'egresstrator_sources_outdated{source="services"} 1',
    'egresstrator_sources_outdated{source="rules"} 0',
  ]);
});

test('names are told by container', async () => {
  expectLines(await textOf(metrics()), [
    'egresstrator_names_namespaces{state="answering"} 1',
    'egresstrator_names_namespaces{state="unavailable"} 0',
    'egresstrator_names_addresses{container="shop"} 1',
    'egresstrator_names_questions_total{container="shop"} 90',
    'egresstrator_names_denied_total{container="shop"} 19',
    'egresstrator_names_limited_total{container="shop"} 5',
    'egresstrator_names_failed_total{container="shop"} 7',
    'egresstrator_names_answered_total{container="shop"} 60',
    'egresstrator_names_dropped_total{container="shop"} 8',
    'egresstrator_names_unanswered 4',
  ]);
});

test('resolvers are told by what they were asked, and how long that took', async () => {
  expectLines(await textOf(metrics()), [
    'egresstrator_names_resolver_questions_total{resolver="upstream",source="server"} 50',
    'egresstrator_names_resolver_questions_total{resolver="upstream",source="cache"} 30',
    'egresstrator_names_resolver_questions_total{resolver="upstream",source="shared"} 10',
    'egresstrator_names_resolver_failures_total{resolver="upstream"} 3',
    'egresstrator_names_resolver_wait_seconds_total{resolver="upstream"} 1.5',
    'egresstrator_names_resolver_failures_total{resolver="consul"} 0',
  ]);
});

test('networks.json is told by its entries, its steps and its file', async () => {
  expectLines(await textOf(metrics()), [
    'egresstrator_networks_entries{kind="networks",state="applied"} 1',
    'egresstrator_networks_entries{kind="networks",state="failed"} 1',
    'egresstrator_networks_entries{kind="policies",state="waiting"} 1',
    'egresstrator_networks_entries{kind="routes",state="applied"} 0',
    'egresstrator_networks_steps_failing 1',
    'egresstrator_networks_file_failing 1',
    'egresstrator_networks_file_read_timestamp_seconds 4',
  ]);
  const without = new Metrics({ version: '1', loaders: [], status: () => status, denied: () => new Map() });
  expect(await textOf(without)).not.toContain('egresstrator_networks');
});

test('loads are counted by outcome, and timed where they ended well', async () => {
  const one = metrics();
  const kernel = new FakeKernel();
  const by = (loader: string) => ({
    observe: (load: ObservedLoad) => one.observeLoad(load),
    loaderOf: () => loader,
  });
  const dataplane = measured(kernel, by('nsenter'));
  const broken = measured(
    { ...dataplane, load: () => Promise.reject(new LoadError('no such process', { gone: true })) },
    by('helper'),
  );
  await dataplane.testLoad(ruleset('')).catch(() => undefined);
  await broken.load(where, ruleset('text')).catch(() => undefined);
  await dataplane.load(where, ruleset('comment "egresstrator v1 12ab"'));
  await dataplane.load(where, ruleset('a text of which the kernel knows nothing'));
  one.observeLoad({ namespace: where, outcome: 'loaded', loader: 'helper', seconds: 0.02 });
  one.observeLoad({ namespace: where, outcome: 'failed', loader: 'helper', seconds: 3 });
  one.countRepair();
  const text = await textOf(one);
  expectLines(text, [
    'egresstrator_loads_total{outcome="loaded",loader="helper"} 1',
    'egresstrator_loads_total{outcome="loaded",loader="nsenter"} 1',
    'egresstrator_loads_total{outcome="failed",loader="nsenter"} 1',
    'egresstrator_loads_total{outcome="failed",loader="helper"} 1',
    'egresstrator_loads_total{outcome="gone",loader="helper"} 1',
    'egresstrator_load_duration_seconds_count{loader="helper"} 1',
    'egresstrator_drift_repairs_total 1',
  ]);
});

test('refused packets have a bounded number of labels, and none is lost', async () => {
  const packets = new Map(Array.from({ length: 600 }, (_, index) => [`c${index}`, summary(2)] as const));
  const lines = (await textOf(metrics(packets)))
    .split('\n')
    .filter((line) => line.startsWith('egresstrator_denied_packets_total{'));
  expect(lines).toHaveLength(501);
  expect(lines).toContain('egresstrator_denied_packets_total{container="other"} 200');
});

test('forged packets, frames and a full record are told by container', async () => {
  const full = summary(9_000, { spoofed: 3, frames: 7, unlisted: 4_000, isFull: true });
  const text = await textOf(metrics(new Map([...Object.entries({ web: full, quiet: summary(1) })])));
  expectLines(text, [
    'egresstrator_denied_packets_total{container="web"} 9000',
    'egresstrator_denied_spoofed_packets_total{container="web"} 3',
    'egresstrator_denied_frames_total{container="web"} 7',
    'egresstrator_denied_record_full{container="web"} 1',
    'egresstrator_denied_record_full{container="quiet"} 0',
  ]);
});

test('denied calls are told by container, beside what containers send', async () => {
  expectLines(await textOf(metrics()), [
    'egresstrator_ingress_denied_packets_total{container="called"} 5',
    'egresstrator_ingress_denied_record_full{container="called"} 1',
  ]);
});

test('a container on the network of the host counts once, whatever it names', async () => {
  const one = { name: 'proxy', problem: { severity: 'error', reason: 'host network' } } as const;
  const both: Status = { ...status, unsupported: [one, { ...one, problem: { ...one.problem, key: 'web' } }] };
  const counted = new Metrics({ version: '1', loaders: [], status: () => both, denied: () => new Map() });
  expectLines(await textOf(counted), ['egresstrator_workloads_unsupported 1']);
});

test('the process is told as it is when somebody asks, and nothing runs meanwhile', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const { text } = await metrics().render();
  expect(timers()).toBe(before);
  const figure = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  expect(figure('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(figure('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  expect(figure('process_start_time_seconds')).toBeCloseTo(Date.now() / 1000 - process.uptime(), 0);
  expect(figure('process_open_fds')).toBeGreaterThan(2);
  expect(figure('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000);
});

describe.each(['deploy/grafana/egresstrator.json', 'deploy/prometheus/egresstrator.rules.yml'])(
  '%s',
  (path) => {
    test('speaks of metrics and labels that exist', async () => {
      const one = metrics(new Map([['a', summary(1)]]));
      one.observeLoad({ namespace: where, outcome: 'loaded', loader: 'helper', seconds: 1 });
      const text = await textOf(one);
      const names = new Set([...text.matchAll(/^(egresstrator_\w+)/gm)].map(([, name]) => name));
      const mentioned = [...readFileSync(path, 'utf8').matchAll(/egresstrator_\w+/g)].map(([name]) => name);
      expect(mentioned.length).toBeGreaterThan(8);
      expect([...new Set(mentioned)].filter((name) => !names.has(name))).toEqual([]);
      const states = [...readFileSync(path, 'utf8').matchAll(/state=\\?"(\w+)\\?"/g)].map(
        ([, state]) => state,
      );
      expect(states.filter((state) => !text.includes(`state="${state}"`))).toEqual([]);
    });
  },
);

test('every metric of ours is shown or alerted on', async () => {
  const text = await textOf(metrics());
  const families = [...text.matchAll(/^# TYPE (egresstrator_\w+)/gm)].map(([, name]) => name ?? '');
  const used = ['deploy/grafana/egresstrator.json', 'deploy/prometheus/egresstrator.rules.yml']
    .map((path) => readFileSync(path, 'utf8'))
    .join();
  expect(families.filter((name) => !used.includes(name))).toEqual([]);
});

test('the table of alerts for operators has each alert, and no other', () => {
  const alerts = [
    ...readFileSync('deploy/prometheus/egresstrator.rules.yml', 'utf8').matchAll(/- alert: (\w+)/g),
  ].map(([, name]) => name);
  const rows = readFileSync('docs/commands.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `Egresstrator'))
    .flatMap((line) => [...line.matchAll(/`(Egresstrator\w+)`/g)].map(([, name]) => name));
  expect(rows.toSorted()).toEqual(alerts.toSorted());
});
