/** Pauses after errors, and between reads of what changes all the time. */
import { expect, test } from 'vitest';
import { Backoff, Pace } from '../../../../src/sources/consul/rhythm.ts';

test('a pause is random between nothing and its bound', () => {
  let chance = 0;
  const backoff = new Backoff({ random: () => chance });
  expect(backoff.failed(0)).toBe(0);
  chance = 0.5;
  expect(backoff.failed(0)).toBe(250);
});

test('what works for a moment only goes on with longer pauses, what works steadily starts anew', () => {
  const backoff = new Backoff({ random: () => 1 });
  expect([0, 0, 0].map((now) => backoff.failed(now))).toEqual([250, 500, 1000]);
  backoff.succeeded(1_000);
  expect(backoff.failed(1_500)).toBe(2_000);
  backoff.succeeded(2_000);
  backoff.succeeded(6_500);
  expect(backoff.failed(7_000)).toBe(250);
});

test('pauses stay bounded for ever', () => {
  const backoff = new Backoff({ random: () => 1 });
  for (let tries = 0; tries < 5_000; tries++) backoff.failed(0);
  expect(backoff.failed(0)).toBe(5_000);
});

test('a burst of reads is quick, then each has to be earned, and a quiet moment earns a burst', () => {
  const pace = new Pace({ random: () => 0 });
  let now = 0;
  const read = () => {
    const delay = pace.delay(now);
    now += delay;
    pace.started(now);
    return delay;
  };
  const delays = Array.from({ length: 11 }, read);
  expect(delays).toEqual([0, ...Array(6).fill(100), ...Array(4).fill(500)]);
  now += 60;
  expect(pace.delay(now)).toBe(440);
  now += 4_000;
  expect([0, 100, 100, 100]).toEqual(Array.from({ length: 4 }, read));
});

test('chance makes a pause up to half as long again, so that hosts woken together come back one by one', () => {
  let chance = 0.25;
  const pace = new Pace({ burst: 2, random: () => chance });
  pace.started(0);
  expect(pace.delay(0)).toBe(112);
  chance = 1;
  pace.started(112);
  expect(pace.delay(112)).toBe(750);
});

test('a clock that was set back does not stop the reads', () => {
  const pace = new Pace({ random: () => 0 });
  pace.started(1_000_000);
  expect(pace.delay(0)).toBe(100);
});
