/**
 * Which text of networks.json counts, and when what is wrong with the present one is reported.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { NetworksFileWatch } from '../../../src/daemon/networks-file.ts';
import type { Watched } from '../../../src/inventory/sources.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const textOf = (name: string) => JSON.stringify({ networks: { [name]: { subnet: '10.0.0.0/24' } } });

function opened(previous?: string) {
  const watched = {
    ...{ value: undefined as string | undefined, error: undefined as Error | undefined },
    ...{ confirmedAt: undefined, close: () => {} },
  } satisfies Watched<string>;
  const seen = { persisted: [] as string[], changes: 0 };
  const options = {
    ...{ path: '/n.json', now: () => Date.now(), previous },
    persist: (text: string) => void seen.persisted.push(text),
  };
  const file = new NetworksFileWatch(
    options,
    () => watched,
    () => seen.changes++,
  );
  const names = () => file.read()?.file.networks.map(({ name }) => name);
  return { file, watched, seen, names };
}

test.each([
  [
    'half of it',
    '{"networks": {',
    'the file /n.json ends in the middle (line 1, column 15), as a file that is half written',
  ],
  [
    '100,000 policies',
    `{"policies": [${'{},'.repeat(99_999)}{}]}`,
    'the file /n.json has 100000 policies, and at most 10000 are read',
  ],
  [
    'a list',
    '[]',
    'the file /n.json has an empty list where an object with networks, ips and policies must be',
  ],
])('the last good one counts beside %s, which is told after a second', (_, bad, reason) => {
  const { file, watched, seen, names } = opened();
  watched.value = textOf('good');
  expect(names()).toEqual(['good']);
  watched.value = bad;
  expect([names(), file.problems]).toEqual([['good'], []]);
  vi.advanceTimersByTime(1_010);
  expect(seen.changes).toBe(1);
  expect(file.problems).toEqual([
    { severity: 'error', text: '/n.json', reason: `${reason}; the last good one counts` },
  ]);
  watched.value = textOf('next');
  expect([names(), file.problems]).toEqual([['next'], []]);
  expect(seen.persisted).toEqual([textOf('good'), textOf('next')]);
});

test('a file that cannot be read leaves that of the previous run', () => {
  const { file, watched, seen, names } = opened(textOf('before'));
  expect(file.isKnown).toBe(false);
  watched.error = new Error('the file /n.json cannot be read: it is no regular file');
  expect([file.isKnown, names()]).toEqual([true, ['before']]);
  vi.advanceTimersByTime(1_010);
  expect(file.problems.map(({ reason }) => reason)).toEqual([
    'the file /n.json cannot be read: it is no regular file; the last good one counts',
  ]);
  watched.error = undefined;
  watched.value = textOf('before');
  expect([names(), file.problems, seen.persisted]).toEqual([['before'], [], []]);
});

test('without any good one nothing counts', () => {
  const { file, watched, names } = opened('no JSON');
  watched.value = 'no JSON either';
  expect(names()).toBeUndefined();
  vi.advanceTimersByTime(1_010);
  expect(file.problems[0]?.reason).toMatch(/; nothing of it counts$/);
});
