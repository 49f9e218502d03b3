/** What the screen of denied traffic shows. */
import { expect, test } from 'vitest';
import { nameRemedyOf, putCommand, remedyOf } from '../../../page/rules/allow.ts';
import {
  changedSince,
  containersOf,
  covered,
  deniedRows,
  type ShownRow,
} from '../../../page/screens/denied/model.ts';
import { catalogIndex } from '../../../src/diagnostics/suggest.ts';
import { snapshotOf } from '../../../src/live/snapshot.ts';
import { liveSample } from '../../support/live-sample.ts';

const NOW = 1_795_923_000_000;
const sample = liveSample(NOW);
const snapshot = snapshotOf(sample);
if (snapshot === undefined) throw new Error('the sample has a controller');
const index = catalogIndex(snapshot);

const ALL = { container: '', search: '', mode: '' };
const placesOf = (rows: readonly ShownRow[]) =>
  rows.map(({ container, address }) => `${container} ${address}`);
const rowAt = (address: string): ShownRow => {
  const found = deniedRows(sample, ALL, false).find((row) => row.address === address);
  if (found === undefined) throw new Error(`nothing was denied at ${address}`);
  return found;
};

test('rows are filtered by container, by words and by whether they passed', () => {
  expect(deniedRows(sample, ALL, false)).toHaveLength(sample.denied.size);
  expect(deniedRows(sample, { ...ALL, container: 'vpn' }, false)).toHaveLength(2);
  expect(placesOf(deniedRows(sample, { ...ALL, search: 'billing' }, false))).toEqual(['shop-api-1 10.0.3.7']);
  expect(placesOf(deniedRows(sample, { ...ALL, mode: 'passed' }, false))).toEqual([
    ...['shop-worker-1 10.0.1.40', 'shop-worker-1 203.0.113.9'],
  ]);
  expect(deniedRows(sample, { ...ALL, mode: 'denied' }, false)).toHaveLength(sample.denied.size - 2);
});

test.each([
  ['10.0.9.8', 'key metrics allows it, and is not granted'],
  ['10.0.1.21', 'keys db, broken allow it, and are not granted'],
  ['10.0.3.7', 'no key of the container names billing'],
  ['203.0.113.80', 'no line of its keys names this destination'],
])('a row says why: %s', (address, why) => {
  expect(rowAt(address).why).toBe(why);
});

test('with a denylist, a key that is not granted closes it', () => {
  const row = deniedRows(sample, ALL, true).find(({ address }) => address === '10.0.9.8');
  expect(row?.why).toBe('closed by key metrics, not granted');
});

test.each([
  ['10.0.3.7', { line: 'billing', key: 'db', others: [], isRisky: false }],
  ['10.0.9.8', { line: 'statsd:udp', key: 'db', others: [['metrics']] }],
  ['2001:db8:20::443:1', { line: '[2001:db8:20::443:1]:tcp/443', key: 'db' }],
  ['169.254.169.254', { line: '169.254.169.254:tcp/80', isRisky: true }],
  ['224.0.0.251', { line: undefined, isExpressible: false }],
])('what would allow %s', (address, remedy) => {
  expect(remedyOf(rowAt(address), snapshot, index)).toMatchObject(remedy);
});

test('with a denylist, all keys that close it are needed together, and no line helps', () => {
  const remedy = remedyOf(rowAt('10.0.1.21'), { ...snapshot, denylist: true }, index);
  expect(remedy).toMatchObject({ line: undefined, isExpressible: true, others: [['db', 'broken']] });
});

test('what would allow a name', () => {
  const lines = [...sample.deniedNames.values()].map((row) => nameRemedyOf(row, snapshot).line);
  expect(lines).toEqual([
    'api.sendgrid.com:tcp/443',
    'smtp.example.org:tcp/443',
    'www.paypal.com@10.0.3.9:tcp/443',
  ]);
});

test('the command stores the whole new text of the key', () => {
  expect(putCommand('db', ['billing'], snapshot)).toBe(
    "consul kv put egress/acl/db - <<'RULES'\n# the databases of the shop\nproduction.postgresql\nredis\nbilling\nRULES",
  );
});

test('a frozen view counts the rows that are new, different or gone', () => {
  const [one, other, third] = [{ id: 1 }, { id: 2 }, { id: 3 }];
  const before = new Map([
    ['a', one],
    ['b', other],
  ]);
  expect(changedSince(before, before)).toBe(0);
  expect(changedSince(before, new Map(before))).toBe(0);
  expect(changedSince(before, new Map([['a', third]]).set('c', other))).toBe(3);
});

test('containers are listed once, as people count', () => {
  const named = (...names: readonly string[]) => names.map((container) => ({ container }));
  expect(containersOf(named('web10', 'web2'), named('web2', 'api'))).toEqual(['api', 'web2', 'web10']);
});

test('the shortest period counts for all', () => {
  const record = { mode: 'enforce' as const, readAt: NOW };
  expect(covered([{ ...record, covers: 70 }, record, { ...record, covers: 60 }])).toBe(60);
  expect(covered([{ ...record, covers: undefined }])).toBe(3_600_000);
  expect(covered([])).toBe(3_600_000);
});
