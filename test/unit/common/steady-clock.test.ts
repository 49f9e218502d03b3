/** Time that nobody sets. */
import { expect, test, vi } from 'vitest';
import { steadyNow, thisInstant } from '../../../src/common/steady-clock.ts';

test('it agrees with the host, and does not follow a clock that is set', () => {
  expect(Math.abs(steadyNow() - Date.now())).toBeLessThan(60_000);
  const before = steadyNow();
  vi.spyOn(Date, 'now').mockReturnValue(0);
  expect(steadyNow()).toBeGreaterThanOrEqual(before);
  expect(steadyNow() - before).toBeLessThan(60_000);
  vi.restoreAllMocks();
});

test('an instant tells which start of the host it was', () => {
  expect(thisInstant().boot).toMatch(/^[0-9a-f-]{36}$/);
  expect(thisInstant().boot).toBe(thisInstant().boot);
});
