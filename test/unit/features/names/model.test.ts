/**
 * The invariant of rules by name: no answer leaves unless each address in it is granted. `EGRESSTRATOR_NAMES_STEPS=1000000`
 * makes more steps than the few thousand of each run.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NamesModel } from './model.ts';

const STEPS = Number(process.env.EGRESSTRATOR_NAMES_STEPS ?? 30_000);
const STEPS_OF_A_RUN = 300;

test('no answer leaves unless each address in it is granted', () => {
  const sums = { questions: 0, answers: 0, addresses: 0, failures: 0, taken: 0 };
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const model = new NamesModel(seed);
      for (let step = 0; step < STEPS_OF_A_RUN; step++) model.step();
      for (const key of ['questions', 'answers', 'addresses', 'failures', 'taken'] as const)
        sums[key] += model.counts[key];
    }),
    { numRuns: Math.ceil(STEPS / STEPS_OF_A_RUN) },
  );
  // Otherwise nothing was compared.
  expect(sums.addresses).toBeGreaterThan(STEPS / 60);
  expect(sums.taken).toBeGreaterThan(STEPS / 150);
  expect(sums.failures).toBeGreaterThan(STEPS / 150);
}, 600_000);
