import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lifetimeOf } from '../../../../src/features/names/lifetime.ts';

test.each([
  [60, 300, { ttl: 60, grant: 360, timeout: 360, enough: 210 }],
  [0, 300, { ttl: 0, grant: 300, timeout: 300, enough: 150 }],
  [0, 0, { ttl: 0, grant: 1, timeout: 60, enough: 0 }],
  [60, 0, { ttl: 60, grant: 60, timeout: 60, enough: 60 }],
  [0x7fff_ffff, 300, { ttl: 86_100, grant: 86_400, timeout: 86_400, enough: 86_250 }],
  [60, 86_400, { ttl: 0, grant: 86_400, timeout: 86_400, enough: 43_200 }],
  [60, 999_999, { ttl: 0, grant: 86_400, timeout: 86_400, enough: 43_200 }],
])('a lifetime of %i with a grace of %i', (ttl, grace, expected) => {
  expect(lifetimeOf(ttl, grace)).toEqual(expected);
});

test('a grant lasts at least as long as its record, a second, and at most a day', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0x7fff_ffff }), fc.nat({ max: 200_000 }), (given, grace) => {
      const { ttl, grant, timeout, enough } = lifetimeOf(given, grace);
      expect(ttl).toBeLessThanOrEqual(given);
      expect(grant).toBeGreaterThanOrEqual(Math.max(ttl, 1));
      expect(grant).toBeLessThanOrEqual(86_400);
      expect(timeout).toBeGreaterThanOrEqual(grant);
      expect(enough).toBeGreaterThanOrEqual(ttl);
      expect(enough).toBeLessThanOrEqual(grant);
    }),
  );
});
