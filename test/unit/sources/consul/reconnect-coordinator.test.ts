/** What the watches of one source do when Consul fails them all. */
import { expect, test } from 'vitest';
import { Outage } from '../../../../src/sources/consul/reconnect-coordinator.ts';
import { ManualClock, settle } from './support.ts';

/** `count` watches that have just failed; the first is urgent. `back` holds when each may try again, in ms. */
async function failed(count: number, random = () => 1) {
  const clock = new ManualClock();
  const from = clock.time;
  const outage = new Outage({ backoff: { random }, clock });
  const back: (readonly [watch: number, after: number])[] = [];
  const closing = Array.from({ length: count }, () => new AbortController());
  const fail = async (watch: number, pause = 0) => {
    const { signal } = closing[watch] ?? new AbortController();
    await outage.turn(pause, watch === 0, signal);
    back.push([watch, clock.time - from]);
  };
  for (const watch of closing.keys()) fail(watch).catch(() => {});
  await settle();
  return { clock, outage, back, closing, fail };
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
  const { clock, back, fail } = await failed(2);
  await clock.advance(250);
  void fail(0);
  await clock.advance(1_500);
  expect(back.map(([watch]) => watch)).toEqual([0, 1, 0]);
});

test('after an answer all come back, the urgent one at once and the others one by one', async () => {
  let chance = 0;
  const { clock, outage, back } = await failed(5, () => {
    chance += 0.25;
    return chance % 1;
  });
  outage.answered();
  await clock.advance(2_000);
  expect(back.map(([watch]) => watch).toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect(back[0]).toEqual([0, 0]);
  expect(new Set(back.map(([, after]) => after)).size).toBeGreaterThan(3);
});

test('all are back within five seconds', async () => {
  const { clock, outage, back } = await failed(500, () => 0.999);
  outage.answered();
  await clock.advance(5_000);
  expect(back.length).toBe(500);
});

test('those that fail one after the other come back one by one too', async () => {
  const { clock, outage, back, fail } = await failed(0, () => 0.5);
  for (const watch of [1, 2, 3, 4]) {
    void fail(watch);
    outage.answered();
  }
  await clock.advance(2_000);
  expect(back.map(([, after]) => after)).toEqual([200, 400, 600, 800]);
});

test('a watch that fails alone keeps its own pause, however often others are answered', async () => {
  const { clock, outage, back, fail } = await failed(0);
  void fail(1, 4_000);
  await clock.advance(100);
  outage.answered();
  await clock.advance(3_800);
  expect(back).toEqual([]);
  await clock.advance(100);
  expect(back).toEqual([[1, 4_000]]);
});

test('a clock that was set back keeps nobody away', async () => {
  const { clock, outage, back, fail } = await failed(0);
  void fail(1, 1_000);
  await settle();
  clock.time -= 3_600_000;
  outage.answered();
  await clock.advance(1_000);
  expect(back.length).toBe(1);
});

test('who is closed waits no more, and leaves no timer', async () => {
  const { clock, outage, back, closing } = await failed(3);
  for (const one of closing) one.abort(new Error('closed'));
  await settle();
  outage.answered();
  await clock.advance(60_000);
  expect({ back, sleeping: clock.sleeping }).toEqual({ back: [], sleeping: 0 });
});

test('pauses start anew after what worked for five seconds', async () => {
  const { clock, outage, back, fail } = await failed(1);
  await clock.advance(250);
  outage.answered();
  await clock.advance(5_000);
  void fail(0);
  await clock.advance(250);
  expect(back).toEqual([
    [0, 250],
    [0, 5_500],
  ]);
});
