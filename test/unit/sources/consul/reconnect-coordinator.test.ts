/** What the watches of one source do when Consul fails them all. */
import { expect, test } from 'vitest';
import { ReconnectCoordinator } from '../../../../src/sources/consul/reconnect-coordinator.ts';
import { ManualClock, settle, timingOf } from './support.ts';

/** `count` watches that have just failed; the first is urgent. `back` holds when each may try again, in ms. */
async function failed(count: number, random = () => 1) {
  const clock = new ManualClock();
  const from = clock.time;
  const coordinator = new ReconnectCoordinator(timingOf(clock, random));
  const back: (readonly [watch: number, after: number])[] = [];
  const closing = Array.from({ length: count }, () => new AbortController());
  const fail = async (watch: number) => {
    await coordinator.waitToRetry(watch === 0, closing[watch]?.signal ?? new AbortController().signal);
    back.push([watch, clock.time - from]);
  };
  for (const watch of closing.keys()) fail(watch).catch(() => {});
  await settle();
  return { clock, coordinator, back, closing, fail };
}

test('a Consul that is away is tried by one watch per pause, in turn, however many there are', async () => {
  const { clock, back } = await failed(500);
  await clock.advance(1_000);
  expect(back).toEqual([
    [0, 250],
    [1, 750],
  ]);
  await clock.advance(60_000);
  expect(back.length).toBeLessThan(16);
});

test('a turn that fails queues up again behind the others', async () => {
  const { clock, back, fail } = await failed(3);
  await clock.advance(750);
  void fail(1);
  await clock.advance(10_000);
  expect(back.map(([watch]) => watch)).toEqual([0, 1, 2, 1]);
});

test('after an answer all come back, the urgent one at once and the others one by one', async () => {
  let chance = 0;
  const { clock, coordinator, back } = await failed(5, () => {
    chance += 0.25;
    return chance % 1;
  });
  coordinator.answered();
  await clock.advance(2_000);
  expect(back.map(([watch]) => watch)).toEqual([0, 1, 2, 3, 4]);
  expect(back[0]).toEqual([0, 0]);
  expect(new Set(back.map(([, after]) => after)).size).toBeGreaterThan(3);
});

test('the urgent one does not wait for those that failed before it', async () => {
  const { clock, coordinator, back, fail } = await failed(5, () => 0.5);
  await clock.advance(300);
  for (const watch of [1, 2, 3, 4]) void fail(watch);
  void fail(0);
  coordinator.answered();
  await clock.advance(400);
  expect(back.slice(1, 3).map(([watch]) => watch)).toContain(0);
});

test('all are back within five seconds on average chance, and within ten on the worst', async () => {
  for (const [chance, most] of [
    [0.5, 5_000],
    [0.999, 10_000],
  ] as const) {
    const { clock, coordinator, back } = await failed(500, () => chance);
    coordinator.answered();
    await clock.advance(most + 20);
    expect(back.length).toBe(500);
  }
});

test('those that fail one after the other come back one by one too', async () => {
  const { clock, coordinator, back, fail } = await failed(0, () => 0.5);
  for (const watch of [1, 2, 3, 4]) void fail(watch);
  coordinator.answered();
  await clock.advance(2_000);
  const times = back.map(([, after]) => after);
  expect(times.slice(1).map((time, at) => time - (times[at] ?? 0))).toEqual([200, 200, 200]);
});

test('a watch that fails during the return of the others does not delay them', async () => {
  const { clock, coordinator, back, fail } = await failed(20, () => 0.5);
  coordinator.answered();
  await clock.advance(300);
  void fail(99);
  await clock.advance(4_000);
  expect(back.filter(([watch]) => watch !== 99)).toHaveLength(20);
});

test('a watch that is closed waits no more, and leaves no timer', async () => {
  const { clock, coordinator, back, closing } = await failed(3);
  for (const one of closing) one.abort(new Error('closed'));
  await settle();
  coordinator.answered();
  await clock.advance(60_000);
  expect({ back, sleeping: clock.sleeping }).toEqual({ back: [], sleeping: 0 });
});

test('pauses start anew after what worked for five seconds', async () => {
  const { clock, coordinator, back, fail } = await failed(1);
  await clock.advance(250);
  coordinator.answered();
  await clock.advance(5_000);
  void fail(0);
  await clock.advance(250);
  expect(back).toEqual([
    [0, 250],
    [0, 5_500],
  ]);
});
