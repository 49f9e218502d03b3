/**
 * The screen of networks.json: what is not as the file says comes first, and is said in one sentence.
 */
import { expect, test } from 'vitest';
import {
  problemsOfFile,
  retryText,
  rowsOf,
  stateCounts,
  summaryOf,
} from '../../../page/screens/networks/model.ts';
import type { NetworksSummary } from '../../../src/diagnostics/networks-view.ts';

const networks = (more: Partial<NetworksSummary> = {}): NetworksSummary => ({
  ...{
    path: '/n.json',
    readAt: 1,
    networks: [],
    attachments: [],
    policies: [],
    routes: [],
    failing: [],
    ...more,
  },
});
const entry = (state: 'applied' | 'failed' | 'waiting', path = 'x') => ({ path, state, text: path });

test('what failed comes before what waits, and what is applied last', () => {
  const all = networks({ policies: [entry('applied', 'a'), entry('waiting', 'w'), entry('failed', 'f')] });
  expect(rowsOf(all, 'policies').map(({ path }) => path)).toEqual(['f', 'w', 'a']);
});

test('an entry without a reason is told by what its state means, unless it is applied', () => {
  const rows = rowsOf(networks({ routes: [entry('waiting'), entry('applied')] }), 'routes');
  expect(rows.map(({ reason }) => reason)).toEqual(['a container that it needs does not run', '']);
});

test('states are counted over all kinds, those without an entry left out', () => {
  const all = networks({ networks: [entry('applied')], routes: [entry('applied'), entry('failed')] });
  expect(stateCounts(all)).toEqual([
    { state: 'applied', count: 2 },
    { state: 'failed', count: 1 },
  ]);
});

test.each([
  ['Everything is as the file says.', networks({ networks: [entry('applied')] })],
  [
    'Not everything is as the file says: 1 failed, 1 waiting.',
    networks({ networks: [entry('failed'), entry('waiting')] }),
  ],
  [
    'Not everything is as the file says: a step fails.',
    networks({ networks: [entry('applied')], failing: [{ name: 's', reason: 'r' }] }),
  ],
  ['The present file is not used: the last good one counts.', networks({ error: 'no JSON' })],
  ['The file was not read yet.', networks({ readAt: undefined })],
  ['The file has no entries.', networks()],
])('%s', (sentence, all) => {
  expect(summaryOf(all)).toBe(sentence);
});

test.each([
  ['it is tried again', undefined],
  ['it is tried again now', 1000],
  ['next try in 1 second', 2000],
  ['next try in 2 seconds', 2001],
])('%s', (text, retryAt) => {
  expect(retryText({ name: 's', reason: 'r', retryAt }, 1000)).toBe(text);
});

test('only problems that name a place in the file are shown', () => {
  const about = { severity: 'error', text: 'policies[1].to', reason: 'no such container' } as const;
  const other = { severity: 'error', text: 'web', reason: 'the port is published twice' } as const;
  expect(problemsOfFile([about, other])).toEqual([about]);
});
