/**
 * Random sequences of edits, registrations, starts, stops and faults: after each comes to rest, what every
 * kernel holds, and some real connections, are as a naive model says.
 *
 * The seed is printed. `EGRESSTRATOR_MODEL_SEED` and `EGRESSTRATOR_MODEL_PATH` repeat a run that failed,
 * `EGRESSTRATOR_MODEL_RUNS` makes more of them.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepFrom } from '../support/model.ts';
import { ModelSystem } from '../support/model-system.ts';

const { EGRESSTRATOR_MODEL_SEED, EGRESSTRATOR_MODEL_RUNS, EGRESSTRATOR_MODEL_PATH } = process.env;
const seed = Number(EGRESSTRATOR_MODEL_SEED ?? Date.now() % 2 ** 31);
const numRuns = Number(EGRESSTRATOR_MODEL_RUNS ?? 2);
const path = EGRESSTRATOR_MODEL_PATH === undefined ? {} : { path: EGRESSTRATOR_MODEL_PATH };
const steps = fc.array(stepFrom(['partition', 'heal', 'cut consul', 'cut engine', 'kill controller']), {
  minLength: 6,
  maxLength: 10,
});

let system: ModelSystem;
beforeAll(async () => {
  system = await ModelSystem.open('20.10');
});
afterAll(() => system?.[Symbol.asyncDispose]());

test('every namespace comes to what a naive model says', {
  timeout: 120_000 + numRuns * 60_000,
}, async () => {
  process.stdout.write(`model: seed ${seed}, ${numRuns} runs\n`);
  const property = fc.asyncProperty(steps, async (sequence) => {
    await system.reset();
    for (const step of sequence) {
      await system.perform(step);
      await system.rest();
    }
  });
  // Shrinking would repeat slow runs many times: the seed and the path are enough to repeat the one.
  await fc.assert(property, { seed, numRuns, ...path, endOnFailure: true });
  expect(await system.breaches()).toEqual([]);
});
