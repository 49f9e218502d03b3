import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DriftScanner } from '../../../src/reconciler/drift-scanner.ts';

const MINUTE = 60_000;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(members: Iterable<string>, visit = (_: string): Promise<void> | void => {}) {
  const visits: { readonly member: string; readonly at: number }[] = [];
  const started = Date.now();
  const patrol = new DriftScanner<string>({
    ...{ interval: MINUTE, most: 60, members: () => members, now: Date.now },
    visit: (member) => {
      visits.push({ member, at: Date.now() - started });
      return visit(member);
    },
  });
  return { patrol, visits };
}

const crowd = (count: number) => Array.from({ length: count }, (_, n) => `m${n}`);
const timesOf = (visits: readonly { readonly at: number }[]) => visits.map(({ at }) => at);

test('visits each once per interval', async () => {
  const { visits, patrol } = begin(['a', 'b']);
  await vi.advanceTimersByTimeAsync(3 * MINUTE + 10_000);
  for (const one of ['a', 'b']) expect(visits.filter(({ member }) => member === one)).toHaveLength(3);
  await patrol.close();
});

test('visits those that came together one by one', async () => {
  const { visits, patrol } = begin(crowd(60));
  await vi.advanceTimersByTimeAsync(2 * MINUTE + 10_000);
  expect(new Set(visits.map(({ member }) => member)).size).toBe(60);
  expect(new Set(timesOf(visits)).size).toBe(visits.length);
  await patrol.close();
});

test('leaves nobody out of a crowd that is too large for an interval', async () => {
  const { visits, patrol } = begin(crowd(200));
  await vi.advanceTimersByTimeAsync(9 * MINUTE);
  for (const one of crowd(200)) {
    const times = timesOf(visits.filter(({ member }) => member === one));
    expect(times.length).toBeGreaterThanOrEqual(2);
    for (const [n, at] of times.slice(1).entries()) expect(at - (times[n] ?? 0)).toBeLessThan(4 * MINUTE);
  }
  await patrol.close();
});

test('goes to newcomers, and not to those that are gone', async () => {
  const members = new Set(['a']);
  const { visits, patrol } = begin(members);
  await vi.advanceTimersByTimeAsync(MINUTE + 5000);
  members.delete('a');
  members.add('b');
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(visits.map(({ member }) => member)).toEqual(['a', 'b']);
  await patrol.close();
});

test('waits for the end of a visit, and of the last one when it is closed', async () => {
  let end = () => {};
  const visit = () => new Promise<void>((resolve) => (end = resolve));
  const { visits, patrol } = begin(['a', 'b'], visit);
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(visits).toHaveLength(1);
  let closed = false;
  const closing = patrol.close().then(() => (closed = true));
  await vi.advanceTimersByTimeAsync(1000);
  expect(closed).toBe(false);
  end();
  await closing;
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(visits).toHaveLength(1);
});
