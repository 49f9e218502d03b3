/** What the host's screen shows. */
import { expect, test } from 'vitest';
import {
  byProject,
  type HostRow,
  headline,
  hostRows,
  sourceRows,
  stateCounts,
} from '../../../page/screens/host/model.ts';
import { hostRemarks } from '../../../page/screens/host/remarks.ts';
import { lookOf } from '../../../page/ui/state-looks.ts';
import type { Problem } from '../../../src/common/problem.ts';
import { NAMESPACE_STATES } from '../../../src/features/egress/states.ts';
import { INGRESS_STATES } from '../../../src/features/ingress/status.ts';
import { ENTRY_STATES } from '../../../src/features/networks/entry-states.ts';
import type { WorkloadEntry } from '../../../src/live/tables.ts';
import { liveSample } from '../../support/live-sample.ts';

const NOW = 1_795_923_000_000;
const sample = liveSample(NOW);
const rows = hostRows(sample);

test('what is wrong comes first, and containers without rules are there', () => {
  expect(rows.map(({ name, state }) => `${name} ${state}`)).toEqual([
    'monitoring-prometheus-1 failed',
    'node-exporter unsupported',
    'shop-sync-1 unenforceable',
    'ci-builder-1 cleared',
    'ci-runner-1 pending',
    'reports-cron-1 not enabled',
    'shop-db-1 isolated',
    'shop-worker-1 audit',
    'monitoring-agent-1 denylist',
    'monitoring-grafana-1 protected',
    'quirky_<b>name</b> custom',
    'shop-api-1 protected',
    'shop-web-1 protected',
    'vpn protected',
  ]);
});

test('a row has what was denied, what is wrong and who else is inside', () => {
  const rowOf = (name: string) => rows.find((row) => row.name === name);
  expect(rowOf('shop-api-1')).toMatchObject({ destinations: 3, packets: 1906, hasRawSockets: true });
  expect(rowOf('vpn')).toMatchObject({ others: ['torrent'] });
  expect(rowOf('node-exporter')).toMatchObject({ hasRules: false, destinations: 0 });
  expect(rowOf('monitoring-prometheus-1')?.problem).toMatch(/Cannot allocate memory/);
  expect(rowOf('shop-web-1')?.problem).toBeUndefined();
});

test('a problem of a key names the key, and more errors are counted', () => {
  const [[id, first] = []] = sample.workloads;
  if (id === undefined || first === undefined) throw new Error('the sample has no workload');
  const missing: Problem = { severity: 'error', key: 'db', reason: 'no such ACL key' };
  const problemOf = (...problems: WorkloadEntry['problems']) => {
    const workloads = new Map([[id, { ...first, lastError: undefined, problems }]]);
    return hostRows({ ...sample, workloads }).find(({ name }) => name === first.target)?.problem;
  };
  expect(problemOf(missing)).toBe('key db: no such ACL key');
  expect(problemOf({ ...missing, line: 4 }, missing, { ...missing, severity: 'warning' })).toBe(
    'key db line 4: no such ACL key; 1 more error',
  );
});

test('the project with the most urgent row comes first', () => {
  expect(byProject(rows).map(({ project, rows: inside }) => `${project} ${inside.length}`)).toEqual([
    ...['monitoring 3', ' 4', 'shop 5', 'ci 2'],
  ]);
});

test('each state is counted, the most urgent first', () => {
  const counts = stateCounts(rows);
  expect(counts[0]).toEqual({ state: 'failed', count: 1 });
  expect(counts.find(({ state }) => state === 'protected')).toEqual({ state: 'protected', count: 4 });
  expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(rows.length);
});

const row = (state: string, name = 'web'): HostRow => ({
  ...{ name, state, project: '', others: [], grants: [], hasRawSockets: false, hasRules: true },
  ...{ destinations: 0, packets: 0 },
});

test.each([
  [
    'good',
    [row('protected'), row('denylist')],
    'All 2 containers can reach what their keys allow, and nothing else.',
  ],
  ['good', [row('protected')], 'The only container can reach what its keys allow, and nothing else.'],
  [
    ...(['watch', [row('protected'), row('audit')]] as const),
    'All rules are loaded. 1 container in audit mode: what enforce would deny passes there, and is recorded.',
  ],
  ['warn', [row('pending'), row('audit')], 'Rules hold wherever they are loaded. Look at web (pending).'],
  ['bad', [row('failed'), row('pending')], 'Rules do not hold for 1 of 2 containers: web (failed).'],
  ['quiet', [], 'No running container was started with EGRESSTRATOR_ENABLE=1.'],
])('all of it in a sentence: %s', (tone, all, text) => {
  expect(headline(all, [], true)).toEqual({ tone, text });
});

test('many are not all named', () => {
  const all = Array.from({ length: 9 }, (_one, at) => row('failed', `web${at}`));
  expect(headline(all, [], true).text).toBe(
    'Rules do not hold for 9 of 9 containers: web0 (failed), web1 (failed), web2 (failed) and 6 others.',
  );
});

test('nothing is good before all was read, or while a source cannot be', () => {
  expect(headline([row('protected')], [], false)).toMatchObject({ tone: 'warn' });
  const source = { name: 'docker', known: true, error: 'connect ENOENT' };
  expect(headline([row('protected')], [source], true)).toMatchObject({
    ...{ tone: 'warn', text: expect.stringContaining('Docker cannot be read') },
  });
});

test('services that are well are one row, with the age of the oldest', () => {
  const found = sourceRows([
    { name: 'docker', known: true, confirmedAt: 5 },
    { name: 'service a', known: true, confirmedAt: 9 },
    { name: 'service b', known: true, confirmedAt: 7 },
    { name: 'service c', known: false },
    { name: 'service d', known: true, confirmedAt: 7, outdated: true },
  ]);
  expect(found.map(({ name, state, confirmedAt }) => `${name}: ${state} ${confirmedAt ?? '-'}`)).toEqual([
    ...['service d: outdated 7', 'service c: not read yet -', 'docker: ok 5', '2 services: ok 7'],
  ]);
});

test.each([...new Set([...NAMESPACE_STATES, ...INGRESS_STATES, ...ENTRY_STATES])])(
  'the state %s has a symbol of its tone',
  (state) => {
    expect(lookOf(state).tone).not.toBe('quiet');
  },
);

const remarksOf = (changes: Partial<typeof sample>) =>
  hostRemarks({ ...sample, networks: new Map(), ...changes }).map(({ tone, text }) => `${tone}: ${text}`);

test('what is wrong apart from workloads is said too', () => {
  const [id, called] = [...sample.ingress][0] ?? [];
  const [controller] = sample.controller.values();
  const [host] = sample.host.values();
  if (called === undefined || id === undefined || controller === undefined || host === undefined)
    throw new Error();
  expect(remarksOf({})).toEqual([]);
  expect(remarksOf({ networks: sample.networks })).toEqual([
    'warn: /etc/egresstrator/networks.json: 1 entry of it has no effect as written.',
  ]);
  expect(
    remarksOf({ ingress: new Map([[id, { ...called, state: 'failed', lastError: 'no memory' }]]) }),
  ).toEqual(['bad: Rules about the callers of shop-db-1 do not hold (failed): no memory.']);
  const changed = { ...controller, unreadable: ['a', 'b'], keysUnknown: 'Consul does not answer' };
  expect(remarksOf({ controller: new Map([['controller', changed]]) })).toEqual([
    ...['bad: The Engine cannot inspect a and b.', 'warn: The keys are not known: Consul does not answer.'],
  ]);
  expect(remarksOf({ host: new Map([['host', { ...host, state: 'failed' }]]) })).toEqual([
    'bad: The rules of the host could not be loaded.',
  ]);
});
