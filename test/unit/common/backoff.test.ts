/** How long it waits before another try: longer each time, never longer than said, never all at once. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { delay } from '../../../src/common/backoff.ts';

const RETRY = { first: 500, most: 5_000 };

test('doubles up to the most', () => {
  const waits = [1, 2, 3, 4, 5, 6, 1_000_000].map((failures) => delay(failures, RETRY, () => 1));
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
});

test('a half of it is drawn by chance', () => {
  expect([0, 0.5].map((chance) => delay(2, RETRY, () => chance))).toEqual([500, 750]);
});

test('is never longer than the most, and never shorter than half of the first', () => {
  const failures = fc.integer({ min: 1, max: 10_000_000 });
  const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(failures, chance, (times, drawn) => {
      const wait = delay(times, RETRY, () => drawn);
      expect(wait).toBeGreaterThanOrEqual(RETRY.first / 2);
      expect(wait).toBeLessThanOrEqual(RETRY.most);
    }),
  );
});
