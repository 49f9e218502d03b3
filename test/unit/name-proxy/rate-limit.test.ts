import { expect, it } from 'vitest';
import { RateLimit } from '../../../src/name-proxy/rate-limit.ts';

const taken = (limit: RateLimit, times: number, now: number): number =>
  Array.from({ length: times }, () => limit.take(now)).filter(Boolean).length;

it('admits a second’s worth at once, and then as much as time has passed', () => {
  const limit = new RateLimit(100);
  expect(taken(limit, 200, 1_000)).toBe(100);
  expect(taken(limit, 200, 1_000)).toBe(0);
  expect(taken(limit, 200, 1_500)).toBe(50);
  expect(taken(limit, 200, 60_000)).toBe(100);
});

it('lets what is expensive count as several, and keeps that from those who come next', () => {
  const limit = new RateLimit(100);
  expect(limit.take(1_000)).toBe(true);
  expect([limit.spend(60), limit.spend(0), limit.spend(60), limit.spend(0)]).toEqual([
    true,
    true,
    false,
    true,
  ]);
  expect(taken(limit, 200, 1_300)).toBe(9);
  expect(limit.spend(100_000)).toBe(false);
  expect([taken(limit, 200, 2_300), taken(limit, 200, 2_400)]).toEqual([0, 10]);
});

it('does not break when the clock stands or goes back', () => {
  const limit = new RateLimit(10);
  expect(taken(limit, 10, 5_000)).toBe(10);
  expect(taken(limit, 10, 4_000)).toBe(0);
  expect(taken(limit, 10, 5_100)).toBe(1);
});
