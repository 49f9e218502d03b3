/**
 * Random files of networks on real Engines, one after another, written over the file that a controller watches: after each
 * the networks of the Engine, addresses, permits, ports that lead elsewhere and routes, and some real connections, are as
 * a naive model says. In between, containers start again and networks are removed.
 *
 * `EGRESSTRATOR_MODEL_SEED` makes other files, `EGRESSTRATOR_MODEL_RUNS` more of them. What holds after a file depends on
 * those before it, so a failure says with which seed, and how many files, it comes again.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachEngine, type TestedEngine } from '../support/engines.ts';
import { type RandomFile, randomFile } from '../support/networks-file.ts';
import { NetworksSystem } from '../support/networks-system.ts';

const { EGRESSTRATOR_MODEL_SEED, EGRESSTRATOR_MODEL_RUNS } = process.env;
/** The same files each time, unless another seed is given. */
const seed = Number(EGRESSTRATOR_MODEL_SEED ?? 11);
const numRuns = Number(EGRESSTRATOR_MODEL_RUNS ?? 5);

/** Files between two lines of progress. */
const PROGRESS = 10;

onEachEngine((version) => {
  let system: NetworksSystem;
  beforeAll(async () => {
    system = await NetworksSystem.open(version);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  test('all is as a naive model says', { timeout: 120_000 + numRuns * 60_000 }, async () => {
    for (const [index, file] of fc.sample(randomFile, { seed, numRuns }).entries()) {
      await play(system, file, index).catch((cause: unknown) => {
        const again = `EGRESSTRATOR_MODEL_SEED=${seed} EGRESSTRATOR_MODEL_RUNS=${index + 1}`;
        throw new Error(`File ${index + 1} on Engine ${version}; again by ${again}`, { cause });
      });
      if (index + 1 === numRuns || (index + 1) % PROGRESS === 0) report(version, index + 1, system.calls);
    }
    // A few files may permit nothing between containers that run.
    if (numRuns >= 20) expect(system.calls).toBeGreaterThan(0);
  });
});

async function play(system: NetworksSystem, file: RandomFile, index: number): Promise<void> {
  if (index % 3 === 2) await system.removeNetworks();
  await system.write(file);
  await system.comesTrue();
  if (index % 4 !== 1) return;
  await system.restart(index);
  await system.comesTrue();
}

function report(version: TestedEngine, files: number, calls: number): void {
  const all = `${files} of ${numRuns} files of seed ${seed}`;
  process.stdout.write(`networks model, Engine ${version}: ${all}, ${calls} calls, as the model says\n`);
}
