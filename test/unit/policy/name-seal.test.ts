import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  ALIVE_PORT,
  GRANT_TIMEOUTS,
  grantPort,
  MOST_CLASSES,
  portsOfClass,
  removePort,
  timeoutFor,
} from '../../../src/policy/name-seal.ts';

it.each([
  [0, 60],
  [60, 60],
  [61, 300],
  [3_900, 4_200],
  [86_400, 86_400],
  [99_999, 86_400],
])('keeps a grant of %i seconds for %i', (seconds, timeout) => {
  expect(timeoutFor(seconds)).toBe(timeout);
});

it('has a port of its own for each command', () => {
  const ports = [0, 1, 2, MOST_CLASSES - 1].flatMap((one) => [
    ...GRANT_TIMEOUTS.map((timeout) => grantPort(one, timeout)),
    removePort(one),
  ]);
  expect(new Set([...ports, ALIVE_PORT]).size).toBe(ports.length + 1);
  expect(Math.max(...ports)).toBeLessThan(0x1_0000);
});

it('lists the ports of a class as they are used', () => {
  fc.assert(
    fc.property(fc.nat({ max: MOST_CLASSES - 1 }), fc.integer({ min: 1, max: 86_400 }), (number, seconds) => {
      const { first, last, grants, remove } = portsOfClass(number);
      expect(grants).toContainEqual({ port: grantPort(number, seconds), timeout: timeoutFor(seconds) });
      expect(remove).toBe(removePort(number));
      for (const port of [...grants.map((one) => one.port), remove])
        expect(port >= first && port <= last).toBe(true);
    }),
  );
});
