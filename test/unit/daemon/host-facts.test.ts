/**
 * When the host's routes and devices are read again, and who learns of it.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { HostFactsWatch } from '../../../src/daemon/host-facts.ts';
import type { HostFacts } from '../../../src/inventory/host-facts.ts';
import { FakeLog } from '../../support/fakes.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const factsOf = (...devices: readonly string[]): HostFacts => ({
  ...{ devices: new Set(devices), routes: [], forwards: [4] },
});

/** Answers what is next, the last of it again and again. */
function watched(...answers: readonly (HostFacts | Error)[]) {
  const rest = [...answers];
  const seen = { reads: 0, changes: 0, log: new FakeLog() };
  const read = async () => {
    seen.reads++;
    const answer = rest.length > 1 ? rest.shift() : rest[0];
    if (answer === undefined || answer instanceof Error) throw answer ?? new Error('nothing');
    return answer;
  };
  const watch = new HostFactsWatch({ read, forward: async () => {} }, seen.log, () => seen.changes++);
  return { watch, seen };
}

const settled = () => vi.advanceTimersByTimeAsync(0);

test('tells when facts are known, and when they are others, but not that they are the same', async () => {
  const { watch, seen } = watched(factsOf('eth0'), factsOf('eth0'), factsOf('eth0', 'wg0'));
  expect(watch.isKnown).toBe(false);
  await settled();
  const first = watch.value;
  expect([watch.isKnown, first, seen.changes]).toEqual([true, factsOf('eth0'), 1]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([watch.value === first, seen.reads, seen.changes]).toEqual([true, 2, 1]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([watch.value, seen.changes]).toEqual([factsOf('eth0', 'wg0'), 2]);
  await watch.close();
});

test('a failure makes them known as unknown, keeps those of before, and is logged once', async () => {
  const { watch, seen } = watched(
    new Error('no image'),
    new Error('no image'),
    factsOf('eth0'),
    new Error('x'),
  );
  await settled();
  expect([watch.isKnown, watch.value, seen.changes]).toEqual([true, undefined, 1]);
  await vi.advanceTimersByTimeAsync(180_000);
  expect([watch.value, seen.reads]).toEqual([factsOf('eth0'), 4]);
  expect(seen.log.lines.map(({ fields }) => fields)).toEqual([{ error: 'no image' }, { error: 'x' }]);
  await watch.close();
});

test('calls while it reads make one more read, and none come after it is closed', async () => {
  const { watch, seen } = watched(factsOf('eth0'));
  for (let calls = 0; calls < 5; calls++) watch.refresh();
  await settled();
  expect(seen.reads).toBe(2);
  await watch.close();
  watch.refresh();
  await vi.advanceTimersByTimeAsync(600_000);
  expect(seen.reads).toBe(2);
});
