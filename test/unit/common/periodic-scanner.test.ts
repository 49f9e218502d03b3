import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PeriodicScanner } from '../../../src/common/periodic-scanner.ts';

const MINUTE = 60_000;
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function begin(keys: Iterable<string>, task = (_: string): Promise<void> | void => {}) {
  const scans: { readonly key: string; readonly at: number }[] = [];
  const started = Date.now();
  const scanner = new PeriodicScanner<string>({
    ...{ interval: MINUTE, most: 60, now: Date.now },
    run: (key) => {
      scans.push({ key, at: Date.now() - started });
      return task(key);
    },
  });
  scanner.keep(keys);
  return { scanner, scans };
}

const many = (count: number) => Array.from({ length: count }, (_, n) => `k${n}`);
const timesOf = (scans: readonly { readonly at: number }[]) => scans.map(({ at }) => at);

test('verifies each once per interval', async () => {
  const { scans, scanner } = begin(['a', 'b']);
  await vi.advanceTimersByTimeAsync(3 * MINUTE + 10_000);
  for (const one of ['a', 'b']) expect(scans.filter(({ key }) => key === one)).toHaveLength(3);
  await scanner.close();
});

test('verifies those that came together one by one', async () => {
  const { scans, scanner } = begin(many(60));
  await vi.advanceTimersByTimeAsync(2 * MINUTE + 10_000);
  expect(new Set(scans.map(({ key }) => key)).size).toBe(60);
  expect(new Set(timesOf(scans)).size).toBe(scans.length);
  await scanner.close();
});

test('leaves out none of more than fit into an interval', async () => {
  const { scans, scanner } = begin(many(200));
  await vi.advanceTimersByTimeAsync(9 * MINUTE);
  for (const one of many(200)) {
    const times = timesOf(scans.filter(({ key }) => key === one));
    expect(times.length).toBeGreaterThanOrEqual(2);
    for (const [n, at] of times.slice(1).entries()) expect(at - (times[n] ?? 0)).toBeLessThan(4 * MINUTE);
  }
  await scanner.close();
});

test('verifies new keys, and not those that are gone', async () => {
  const { scans, scanner } = begin(['a']);
  await vi.advanceTimersByTimeAsync(MINUTE + 5000);
  scanner.keep(['b']);
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(scans.map(({ key }) => key)).toEqual(['a', 'b', 'b']);
  scanner.delete('b');
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(scans).toHaveLength(3);
});

test('sleeps until one is due, and has no timer while there is none', async () => {
  const { scans, scanner } = begin([]);
  expect(vi.getTimerCount()).toBe(0);
  scanner.add('a');
  expect(vi.getTimerCount()).toBe(1);
  let wakeUps = 0;
  for (; scans.length === 0; wakeUps += 1) await vi.advanceTimersToNextTimerAsync();
  expect([wakeUps, timesOf(scans)]).toEqual([1, [MINUTE]]);
  scanner.delete('a');
  expect(vi.getTimerCount()).toBe(0);
});

test('waits for the end of a verification, and of the last one when it is closed', async () => {
  let end = () => {};
  const task = () => new Promise<void>((resolve) => (end = resolve));
  const { scans, scanner } = begin(['a', 'b'], task);
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(scans).toHaveLength(1);
  let closed = false;
  const closing = scanner.close().then(() => (closed = true));
  await vi.advanceTimersByTimeAsync(1000);
  expect(closed).toBe(false);
  end();
  await closing;
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(scans).toHaveLength(1);
});
