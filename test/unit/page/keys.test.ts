/** What the screens of keys show. */
import { expect, test } from 'vitest';
import { reuseEqual, reuseEqualKeys } from '../../../page/rules/reuse.ts';
import {
  deniedByKey,
  deniedFor,
  failuresOf,
  ingressView,
  keyRows,
  textOf,
} from '../../../page/screens/keys/model.ts';
import { lint } from '../../../src/diagnostics/lint.ts';
import { workloadsOf } from '../../../src/diagnostics/namespace-view.ts';
import { snapshotOf } from '../../../src/live/snapshot.ts';
import { stateOf, wireOf } from '../../../src/live/state.ts';
import { liveSample } from '../../support/live-sample.ts';

const sample = liveSample(1_795_923_000_000);
const snapshot = snapshotOf(sample);
if (snapshot === undefined) throw new Error('the sample has no controller');
const { acl, catalog, protectedHosts } = snapshot;
const view = { acl, catalog, protectedHosts, workloads: workloadsOf(snapshot) };
const failures = failuresOf(snapshot.unread);

test('keys with errors come first, each with its holders and what is denied without it', () => {
  const rows = keyRows(view, failures, deniedByKey(sample.denied));
  expect(rows.map(({ key }) => key)).toEqual([
    ...['broken', 'everything', 'search', 'metrics', 'old', 'db', 'mail', 'payments'],
  ]);
  expect(rows[0]).toMatchObject({
    ...{ heldBy: ['shop-sync-1'], rules: 1, denied: 1 },
    findings: { error: 2, warning: 0 },
  });
  expect(rows.find(({ key }) => key === 'payments')).toMatchObject({ destinations: 0, names: 2 });
});

test('a service that could not be read is an error of its line', () => {
  expect(keyRows(view, failures, new Map()).find(({ key }) => key === 'search')?.findings.error).toBe(1);
  expect(keyRows(view, new Map(), new Map()).find(({ key }) => key === 'search')?.findings.error).toBe(0);
});

test('the text has all lines, each with its findings and the instances of its service', () => {
  const lines = textOf(
    'broken',
    view,
    lint({ ...view, acl: new Map([...acl].filter(([key]) => key === 'broken')) }),
  );
  expect(lines.map(({ line, text, severity }) => [line, text, severity])).toEqual([
    [1, 'postgresql:tcp/99999', 'error'],
    [2, '10.0.0.300', 'error'],
    [3, 'redis', undefined],
  ]);
  expect(lines[2]?.destinations).toEqual([{ address: '10.0.1.21', traffic: 'tcp/6379', node: 'node-2' }]);
  expect(textOf('db', view, [])[0]).toMatchObject({ isRemark: true, destinations: [] });
});

test('what a key allows was denied to those without it', () => {
  expect(deniedFor('metrics', sample.denied).map(({ container }) => container)).toEqual(['shop-web-1']);
});

test('ingress keys have the containers that name them', () => {
  const ingress = ingressView(sample, catalog);
  const [row] = keyRows(ingress, new Map(), new Map(), 'ingress');
  expect(row).toMatchObject({ key: 'callers/db', heldBy: ['shop-db-1'], rules: 1 });
});

test('a message that changes nothing here makes nothing anew', () => {
  const state = stateOf(JSON.parse(JSON.stringify(wireOf(sample))));
  const verified = new Map([...state.workloads].map(([id, one]) => [id, { ...one, verifiedAt: 1 }]));
  const first = snapshotOf(state);
  const again = snapshotOf({ ...state, workloads: verified }, first);
  expect(again && reuseEqual(first, again)).toBe(first);
  const edited = snapshotOf({ ...state, keys: new Map([...state.keys, ['db', { text: 'redis' }]]) }, first);
  const kept = edited && reuseEqual(first, edited);
  expect(kept?.acl).not.toBe(first?.acl);
  expect(kept?.namespaces).toBe(first?.namespaces);
  expect(reuseEqualKeys(view, { ...view, workloads: [...(view.workloads ?? [])] })).toBe(view);
});
