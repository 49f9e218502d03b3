/**
 * `npm run soak -- --minutes N [--seed S]`: random edits, containers and faults for N minutes (default 20)
 * against the real controller, Engine and Consul. After each step, every kernel must reach the state of a naive
 * model. A destination that no rule allows is tried all the time.
 *
 * The controller is killed at random in the first quarter only: its memory is compared over the rest.
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { messageOf } from '../src/common/errors.ts';
import { type Footprint, footprint, heapOf, memoryOf, nothingLeaked } from '../test/support/footprint.ts';
import { FAULTS, isFault, type Operation, stepFrom } from '../test/support/model.ts';
import { ModelSystem } from '../test/support/model-system.ts';

interface Tally {
  operations: number;
  faults: number;
  readonly violations: string[];
}

/** The controller's resources when it is idle. */
interface Settled {
  /** Used heap and resident memory, in MiB. */
  readonly heap: number;
  readonly resident: number;
  readonly holds: Footprint;
}

/** Growth of the heap that caches cannot explain. */
const MOST_GROWTH_MB = 8;
const BATCH = 200;

async function main(): Promise<void> {
  const options = { minutes: { type: 'string' }, seed: { type: 'string' } } as const;
  const { values } = parseArgs({ options });
  const milliseconds = positive(values.minutes ?? '20', '--minutes') * 60_000;
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  print(`seed ${seed}`);
  const tally: Tally = { operations: 0, faults: 0, violations: [] };
  await using system = await ModelSystem.open('20.10');
  const from = performance.now();
  const spent = () => performance.now() - from;
  await run(system, tally, { seed, until: () => spent() > milliseconds / 4, killing: true, spent });
  const before = await settled(system);
  await run(system, tally, { seed: seed + 1, until: () => spent() > milliseconds, killing: false, spent });
  const after = await settled(system);
  await finish(system, tally, before, after);
}

interface Run {
  readonly seed: number;
  readonly until: () => boolean;
  /** Whether the controller is killed as well. */
  readonly killing: boolean;
  /** Milliseconds since the soak began. */
  readonly spent: () => number;
}

async function run(system: ModelSystem, tally: Tally, { seed, until, killing, spent }: Run): Promise<void> {
  const step = stepFrom(FAULTS.filter((fault) => killing || fault !== 'kill controller'));
  let minute = Math.floor(spent() / 60_000);
  for (let batch = 0; !until(); batch += 1) {
    for (const operations of fc.sample(step, { seed: seed + batch * 1_000, numRuns: BATCH })) {
      if (until()) return;
      await perform(system, tally, operations);
      const now = Math.floor(spent() / 60_000);
      if (now > minute) report(now, system, tally);
      minute = now;
    }
  }
}

async function perform(system: ModelSystem, tally: Tally, operations: readonly Operation[]): Promise<void> {
  try {
    await system.perform(operations);
    await system.rest();
  } catch (error) {
    violation(tally, `${JSON.stringify(operations)}: ${messageOf(error)}`);
  }
  tally.operations += operations.length;
  tally.faults += operations.filter(isFault).length;
}

/** Measures the controller with only the anchor container, all sources connected, and its garbage collected. */
async function settled(system: ModelSystem): Promise<Settled> {
  await system.reset();
  // Twice, because the first collection may make more garbage collectable.
  await heapOf(system.controller);
  const heap = await heapOf(system.controller);
  const holds = await footprint(system.controller, system.fixture.workloads);
  return { heap, resident: memoryOf(system.controller), holds };
}

async function finish(system: ModelSystem, tally: Tally, before: Settled, after: Settled): Promise<void> {
  await nothingLeaked(before.holds, system.controller, system.fixture.workloads).catch((error) =>
    violation(tally, `leaked: ${messageOf(error)}`),
  );
  for (const breach of await system.breaches()) violation(tally, `breach: ${breach}`);
  if (after.heap - before.heap > MOST_GROWTH_MB) violation(tally, 'the memory grew');
  const { operations, faults, violations } = tally;
  print(`operations ${operations}, faults survived ${faults}, violations ${violations.length}`);
  print(`memory at the start ${memoryText(before)}, at the end ${memoryText(after)}`);
  print(
    `descriptors ${before.holds.descriptors} and ${after.holds.descriptors}, helpers left ${after.holds.helpers}`,
  );
  if (violations.length > 0) process.exitCode = 1;
}

const memoryText = ({ heap, resident }: Settled): string =>
  `${heap.toFixed(1)} MiB of heap in ${resident.toFixed(0)} MiB`;

function report(minute: number, system: ModelSystem, { operations, faults, violations }: Tally): void {
  const memory = `${memoryOf(system.controller).toFixed(0)} MiB`;
  print(
    `minute ${minute}: ${operations} operations, ${faults} faults, ${violations.length} violations, ${memory}`,
  );
}

function violation(tally: Tally, what: string): void {
  tally.violations.push(what);
  print(`violation: ${what}`);
}

function positive(text: string, option: string): number {
  const number = Number(text);
  if (number > 0) return number;
  throw new Error(`${option} is ${text}; give a number of minutes like 20`);
}

const print = (line: string): boolean => process.stdout.write(`${line}\n`);

try {
  await main();
} catch (error) {
  process.stderr.write(`egresstrator: the soak failed: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
