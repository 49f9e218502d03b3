/**
 * The screen of the cluster: hosts by what they have published and when, and who reaches what on all of them.
 */
import { expect, test } from 'vitest';
import { reachOf } from '../../../page/rules/reaching.ts';
import { clusterWorkloads, hostRows, search, summaryOf } from '../../../page/screens/cluster/model.ts';
import { createIndexCache } from '../../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../../src/live/snapshot.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { HostEntry } from '../../../src/live/tables.ts';
import { liveSample } from '../../support/live-sample.ts';

const NOW = 1_000_000_000;
const host = (more: Partial<HostEntry> = {}): HostEntry => ({
  ...{
    version: '1.0.0',
    at: NOW,
    running: true,
    states: { protected: 2 },
    workloads: [],
    errors: [],
    ...more,
  },
});

test('what is wrong comes first, and each state has its count in the sentence', () => {
  const hosts = new Map([
    ['node-1', host()],
    ['node-2', host({ at: NOW - 200_000 })],
    ['node-3', host({ running: false })],
    ['node-4', host({ errors: ['no memory'] })],
  ]);
  const rows = hostRows(hosts, 'node-1', NOW);
  expect(rows.map(({ node, state }) => `${node} ${state}`)).toEqual([
    ...['node-2 stale', 'node-4 errors', 'node-3 stopped', 'node-1 ok'],
  ]);
  expect(rows.filter(({ isThis }) => isThis).map(({ node }) => node)).toEqual(['node-1']);
  expect(summaryOf(rows)).toBe(
    '4 hosts publish their status in Consul: 1 not heard of for minutes, 1 with errors, 1 stopped.',
  );
  expect(summaryOf(rows.slice(3))).toBe('1 host publishes its status in Consul, and none has errors.');
});

const state: LiveState = liveSample(NOW);
const snapshot = snapshotOf(state);
const workloads = clusterWorkloads(state, NOW);

const found = (text: string) => {
  if (snapshot === undefined) throw new Error('the sample has a controller');
  const [target = '', traffic] = text.split(' ');
  return search(text, workloads, reachOf({ target, traffic }, snapshot, createIndexCache()));
};

test('this host is told by what it has now, not by what it has published', () => {
  expect(workloads.filter(({ node, isHere }) => node === 'node-1' && !isHere)).toEqual([]);
  expect(workloads.some(({ node }) => node === 'node-2')).toBe(true);
});

test('a service is reached on this host by rules, and on others by keys, with the line', () => {
  const { rows, unknown } = found('production.postgresql');
  expect(unknown).toBeUndefined();
  const reaching = rows.filter(({ reaches }) => reaches).map(({ node, name }) => `${node} ${name}`);
  expect(reaching).toContain('node-1 shop-api-1');
  expect(reaching).toContain('node-2 billing-api-1');
  expect(reaching).not.toContain('node-2 billing-cron-1');
  const other = rows.find(({ name }) => name === 'billing-api-1');
  expect(other?.lines).toEqual([{ key: 'db', line: 2, rule: 'production.postgresql' }]);
});

test('workloads that keys do not limit are named beside the answer', () => {
  const { rows, unlimited } = found('production.postgresql');
  expect(unlimited.length).toBeGreaterThan(0);
  const reaching = new Set(rows.filter(({ reaches }) => reaches).map(({ id }) => id));
  for (const { node, name } of unlimited) expect(reaching).not.toContain(`${node} ${name}`);
});

test('workloads and keys are found by their names', () => {
  const { rows } = found('billing-cron');
  expect(rows.map(({ name, named, reaches }) => [name, named, reaches])).toEqual([
    ['billing-cron-1', true, false],
  ]);
  const byKey = found('mail').rows.find(({ name }) => name === 'billing-cron-1');
  expect(byKey?.namedKeys).toEqual(['mail']);
});

test('a service that no key names is not taken for one that nobody reaches', () => {
  expect(found('ledger').unknown).toContain('no key names the service ledger');
});

test('a question that cannot be answered says why', () => {
  expect(found('203.0.113.9:tcp/').unknown).toContain('expected');
});
