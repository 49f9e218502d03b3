/**
 * The faults happen on both Engines at once, and in order on each: most of their time is waiting.
 */
import { describe } from 'vitest';

export const FAULT_ENGINES = ['20.10', '28.5'] as const;
export type FaultEngine = (typeof FAULT_ENGINES)[number];

export function onBothEngines(tests: (version: FaultEngine) => void): void {
  describe.concurrent.each(FAULT_ENGINES)('Engine %s', (version) => {
    describe('in order', { concurrent: false }, () => tests(version));
  });
}
