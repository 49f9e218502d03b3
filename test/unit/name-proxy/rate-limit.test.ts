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

it('does not break when the clock stands or goes back', () => {
  const limit = new RateLimit(10);
  expect(taken(limit, 10, 5_000)).toBe(10);
  expect(taken(limit, 10, 4_000)).toBe(0);
  expect(taken(limit, 10, 5_100)).toBe(1);
});
