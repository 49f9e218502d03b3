import { expect, it } from 'vitest';
import { FastClock } from '../../../src/name-proxy/fast-clock.ts';

const setup = () => {
  const at = { slow: 1_000_000, ticks: 50.5, reads: 0 };
  const slow = () => {
    at.reads++;
    return at.slow;
  };
  return { at, clock: new FastClock(slow, () => at.ticks) };
};

it('goes on between two readings of the other clock', () => {
  const { at, clock } = setup();
  at.ticks += 10.7;
  expect(clock.now()).toBe(1_000_010);
  expect(at.reads).toBe(1);
});

it('follows the other clock, as after the host was suspended', () => {
  const { at, clock } = setup();
  [at.slow, at.ticks] = [2_000_000, 60];
  clock.follow();
  at.ticks += 5;
  expect(clock.now()).toBe(2_000_005);
});

it('never goes back', () => {
  const { at, clock } = setup();
  at.ticks += 5_000;
  at.slow += 4_990;
  clock.follow();
  expect(clock.now()).toBe(1_005_000);
});
