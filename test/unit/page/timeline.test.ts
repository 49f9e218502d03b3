/** What the timeline shows: which events, in which order, in which group. */
import { expect, test } from 'vitest';
import {
  activity,
  byTime,
  type EventFilter,
  eventRows,
  kindCounts,
} from '../../../page/screens/timeline/model.ts';
import type { EventKind, TimelineEvent } from '../../../src/live/tables.ts';

const MINUTE = 60_000;
const NOW = Date.UTC(2026, 10, 29, 12);

const event = (ago: number, kind: EventKind, subject: string, more: Partial<TimelineEvent> = {}) => ({
  ...{ at: NOW - ago * MINUTE, kind, subject, text: 'something' },
  ...more,
});

const EVENTS = new Map<string, TimelineEvent>([
  ['1', event(3000, 'controller', 'node-1')],
  ['2', event(200, 'load', 'web', { took: 900 })],
  ['3', event(20, 'source', 'rules', { isProblem: true })],
  ['9', event(2, 'key', 'db', { text: 'one line added: redis' })],
  ['10', event(2, 'load', 'web', { took: 12 })],
]);

const ids = (filter: Partial<EventFilter>) =>
  eventRows(EVENTS, { kind: '', search: '', ...filter }).map(({ id }) => id);

test.each([
  [{}, ['10', '9', '3', '2', '1']],
  [{ kind: 'load' }, ['10', '2']],
  [{ kind: 'problems' }, ['3']],
  [{ search: 'REDIS added' }, ['9']],
  [{ search: 'web', kind: 'key' }, []],
])('the newest event is first, of those that %j asks for', (filter, expected) => {
  expect(ids(filter)).toEqual(expected);
});

test('events are grouped by their age, and older ones by day', () => {
  const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const rows = eventRows(EVENTS, { kind: '', search: '' });
  expect(byTime(rows, NOW, dayOf).map(({ title, rows: inside }) => [title, inside.length])).toEqual([
    ['In the last 5 minutes', 2],
    ['In the last hour', 1],
    ['Earlier today', 1],
    ['2026-11-27', 1],
  ]);
});

test('kinds are counted in the same order, whatever happens', () => {
  expect(kindCounts(EVENTS.values())).toEqual([
    { kind: 'controller', count: 1 },
    { kind: 'key', count: 1 },
    { kind: 'load', count: 2 },
    { kind: 'source', count: 1 },
  ]);
});

test('what the last hour had is told, with its slowest load', () => {
  expect(activity(EVENTS.values(), NOW)).toEqual({ edits: 1, loads: 1, repairs: 0, slowest: 12 });
  expect(activity([], NOW).slowest).toBeUndefined();
});
