/**
 * The screen of names: counts for each workload, what is granted until when, and what was asked in vain.
 */
import { expect, test } from 'vitest';
import {
  deniedNamesOf,
  deniedNameText,
  grantedRows,
  leftText,
  namesRows,
  summaryOf,
  whyText,
} from '../../../page/screens/names/model.ts';
import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import { type NamesReport, NO_REPORT } from '../../../src/features/names/name-report.ts';
import { liveSample } from '../../support/live-sample.ts';

const { workloads } = liveSample(0);
const [first = '', second = ''] = workloads.keys();
const targetOf = (id: string) => workloads.get(id)?.target ?? '';

const granted = (address: string, until: number) => ({ name: 'a.example', address, ports: 'tcp/443', until });
const report: NamesReport = {
  ...NO_REPORT,
  state: 'answering',
  grants: [granted('192.0.2.1', 5), granted('2001:db8::1', 9)],
  counts: {
    ...NO_REPORT.counts,
    asked: 9,
    answered: 5,
    denied: { ...NO_REPORT.counts.denied, name: 3, type: 1 },
  },
};

test('a workload is told by its name, its granted addresses and its counts', () => {
  const [row] = namesRows({ names: new Map([[first, report]]), workloads });
  expect(row).toMatchObject({
    ...{ target: targetOf(first), names: 1, addresses: 2, asked: 9, answered: 5, denied: 4, dropped: 0 },
  });
});

test('workloads whose names are not answered come first, and are in the sentence', () => {
  const unavailable = { ...NO_REPORT, state: 'unavailable' as const, reasons: ['no resolver'] };
  const rows = namesRows({
    names: new Map([
      [first, report],
      [second, unavailable],
    ]),
    workloads,
  });
  expect(rows.map(({ id }) => id)).toEqual([second, first]);
  expect(summaryOf(rows)).toBe(
    'The names of 1 of 2 workloads cannot be answered: rules by name grant nothing there.',
  );
  expect(summaryOf([])).toBe('No workload has rules by name, so no names are answered here.');
});

test('the addresses of a name are one row, which lasts as long as the longest', () => {
  const all = { names: new Map([[first, report]]), workloads };
  const [row, ...more] = grantedRows(all, '');
  expect(more).toEqual([]);
  expect(row).toMatchObject({ name: 'a.example', addresses: ['192.0.2.1', '2001:db8::1'], until: 9 });
  expect(grantedRows(all, 'another')).toEqual([]);
});

test.each([
  ['ends now', 0],
  ['in 12s', 12_000],
  ['in 4m', 240_000],
  ['in 3h', 10_800_000],
  ['in 2d', 172_800_000],
])('%s', (text, left) => {
  expect(leftText(1000 + left, 1000)).toBe(text);
});

const denied = (container: string, lastSeenAt: number): DeniedNameRow => ({
  ...{ container, name: `${lastSeenAt}.example`, cause: 'name', types: ['A'], count: 1 },
  ...{ firstSeenAt: 0, lastSeenAt, keys: ['mail'] },
});

test('names that were asked in vain: the latest first, of one workload if it is chosen', () => {
  const rows = [denied('web', 1), denied('db', 2), denied('web', 3)];
  expect(deniedNamesOf(rows, '').map(({ lastSeenAt }) => lastSeenAt)).toEqual([3, 2, 1]);
  expect(deniedNamesOf(rows, 'web').map(({ lastSeenAt }) => lastSeenAt)).toEqual([3, 1]);
  expect(deniedNameText(denied('web', 1))).toBe('web 1.example no rule is about it A mail');
  expect(whyText({ cause: 'failed', reason: 'timed out' })).toBe('timed out');
});
