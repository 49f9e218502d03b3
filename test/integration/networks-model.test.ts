/**
 * Random files of networks on real Engines, one after another, written over the file that a controller watches: after each
 * the networks of the Engine, addresses, permits, ports that lead elsewhere and routes, and some real connections, are as
 * a naive model says. In between, containers start again and networks are removed.
 *
 * `EGRESSTRATOR_MODEL_SEED` makes other files, `EGRESSTRATOR_MODEL_RUNS` more of them.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onEachEngine } from '../support/engines.ts';
import { randomFile } from '../support/networks-file.ts';
import { NetworksSystem } from '../support/networks-system.ts';

const { EGRESSTRATOR_MODEL_SEED, EGRESSTRATOR_MODEL_RUNS } = process.env;
/** The same files each time, unless another seed is given. */
const seed = Number(EGRESSTRATOR_MODEL_SEED ?? 11);
const numRuns = Number(EGRESSTRATOR_MODEL_RUNS ?? 5);

onEachEngine((version) => {
  let system: NetworksSystem;
  beforeAll(async () => {
    system = await NetworksSystem.open(version);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  test('all is as a naive model says', { timeout: 120_000 + numRuns * 60_000 }, async () => {
    process.stdout.write(`networks model, Engine ${version}: seed ${seed}, ${numRuns} files\n`);
    for (const [index, file] of fc.sample(randomFile, { seed, numRuns }).entries()) {
      if (index % 3 === 2) await system.removeNetworks();
      await system.write(file);
      await system.comesTrue();
      if (index % 4 === 1) await system.restart(index);
      if (index % 4 === 1) await system.comesTrue();
    }
    // A few files may permit nothing between containers that run.
    if (numRuns >= 20) expect(system.calls).toBeGreaterThan(0);
  });
});
