/** Pauses after failures. */
import { expect, test } from 'vitest';
import { RetryPause } from '../../../../src/sources/consul/timing.ts';
import { ManualClock, timingOf } from './support.ts';

test('a pause is random between half of its bound and the whole', () => {
  let chance = 0;
  const backoff = new RetryPause(timingOf(new ManualClock(), () => chance));
  expect(backoff.failed()).toBe(125);
  chance = 0.5;
  expect(backoff.failed()).toBe(375);
});

test('what works for a moment goes on with longer pauses, what works steadily starts anew', () => {
  const clock = new ManualClock();
  const backoff = new RetryPause(timingOf(clock, () => 1));
  expect([backoff.failed(), backoff.failed(), backoff.failed()]).toEqual([250, 500, 1000]);
  backoff.succeeded();
  clock.time += 500;
  expect(backoff.failed()).toBe(2_000);
  backoff.succeeded();
  clock.time += 4_500;
  backoff.succeeded();
  clock.time += 500;
  expect(backoff.failed()).toBe(250);
});

test('pauses stay bounded for ever', () => {
  const backoff = new RetryPause(timingOf(new ManualClock(), () => 1));
  for (let tries = 0; tries < 5_000; tries++) backoff.failed();
  expect(backoff.failed()).toBe(5_000);
});
