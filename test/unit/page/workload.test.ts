/** What the screen of a workload shows. */
import { expect, test } from 'vitest';
import { explained } from '../../../page/rules/explained.ts';
import { callersOf, eventsOf, findWorkload, parseQuestion } from '../../../page/screens/workload/model.ts';
import { explainAnswer } from '../../../src/diagnostics/explain-answer.ts';
import { catalogIndex } from '../../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../../src/live/snapshot.ts';
import type { WorkloadEntry } from '../../../src/live/tables.ts';
import { liveSample } from '../../support/live-sample.ts';

const sample = liveSample(1_795_923_000_000);
const snapshot = snapshotOf(sample);
if (snapshot === undefined) throw new Error('the sample has a controller');

const workload = (name: string): WorkloadEntry => {
  const found = findWorkload(sample, name);
  if (found?.kind !== 'workload') throw new Error(`no workload ${name}`);
  return found.workload;
};

test('a workload is found by its name, and by that of another in its namespace', () => {
  expect(workload('shop-api-1').target).toBe('shop-api-1');
  expect(workload('torrent').target).toBe('vpn');
  expect(findWorkload(sample, 'node-exporter')).toMatchObject({ kind: 'unsupported' });
  expect(findWorkload(sample, 'reports-cron-1')).toMatchObject({ kind: 'not enabled' });
  expect(findWorkload(sample, 'nobody')).toBeUndefined();
  const called = { ...sample, workloads: new Map() };
  expect(findWorkload(called, 'shop-db-1')).toMatchObject({ kind: 'called', status: { state: 'protected' } });
});

test.each([
  ['10.0.0.5 tcp/443', { target: '10.0.0.5', traffic: 'tcp/443' }],
  ['  billing ', { target: 'billing' }],
])('a question has a target and perhaps traffic: %s', (text, question) => {
  expect(parseQuestion(text)).toEqual(question);
});

test('events are of its containers and its keys, the newest first', () => {
  const found = eventsOf(sample.events, workload('shop-web-1')).map(
    ({ kind, subject }) => `${kind} ${subject}`,
  );
  expect(found).toEqual(['load shop-web-1', 'key db', 'repair shop-web-1']);
});

test('callers are those of its ingress rules and those that were denied', () => {
  expect(callersOf(sample, workload('shop-db-1'))).toMatchObject({
    ...{ status: { state: 'protected' }, denied: [{ source: '172.18.0.7' }] },
  });
  expect(callersOf(sample, workload('shop-web-1'))).toEqual({ status: undefined, denied: [] });
});

test.each([
  ['shop-api-1', 'redis', undefined, 'allowed', 'shop-api-1 may reach 10.0.1.21 tcp/6379.'],
  ['shop-api-1', 'billing', undefined, 'denied', 'shop-api-1 may not reach 10.0.3.7 tcp/8443.'],
  [
    ...(['shop-worker-1', 'billing', undefined, 'passed'] as const),
    'shop-worker-1 may not reach 10.0.3.7 tcp/8443, but it passes in audit mode.',
  ],
  [
    'shop-api-1',
    '10.9.9.9',
    undefined,
    'denied',
    'shop-api-1 can reach nothing at 10.9.9.9. Give a port, such as "10.9.9.9 tcp/443", to see what would allow it.',
  ],
])('%s and %s: the answer is that of the command', (container, target, traffic, state, answer) => {
  const found = explainAnswer({ container, target, traffic }, snapshot, () => catalogIndex(snapshot));
  expect(explained(found)[0]).toMatchObject({ state, answer });
});
