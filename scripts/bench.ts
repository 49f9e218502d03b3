/**
 * `npm run bench`: figures beside their floors of the same run, as a table and as JSON. `--quick` takes
 * about two minutes; `--only resolving,data-path,containers,gate,rest` takes a part.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { ensureCommands } from '../lab/apt.ts';
import { startConsul } from '../lab/consul.ts';
import { ensureEngine } from '../lab/engine.ts';
import { say } from '../lab/say.ts';
import { messageOf } from '../src/domain/errors.ts';
import { ensureTestImage } from '../test/support/egresstrator.ts';
import { benchContainers } from './bench/containers.ts';
import { benchDataPath } from './bench/data-path.ts';
import { benchGate } from './bench/gate.ts';
import type { Figure } from './bench/measure.ts';
import { table, thisMachine } from './bench/report.ts';
import { benchResolving } from './bench/resolving.ts';
import { benchRest } from './bench/rest.ts';

const PARTS = ['resolving', 'data-path', 'containers', 'gate', 'rest'] as const;
type Part = (typeof PARTS)[number];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
});
const quick = options.quick === true;

async function main(): Promise<void> {
  const wanted = options.only?.split(',') ?? PARTS;
  // The loader `nsenter` runs the machine's own.
  await ensureCommands({ nft: 'nftables', nsenter: 'util-linux' });
  const engine = await ensureEngine({ version: 'host' });
  const image = await ensureTestImage(engine);
  await using consul = await startConsul();
  const context = { engine, consul, image, program: await built() };
  const run: Readonly<Record<Part, () => Promise<readonly Figure[]>>> = {
    resolving: () => benchResolving(quick ? [1000, 10_000] : [10, 1000, 10_000, 100_000]),
    'data-path': () =>
      benchDataPath({
        seconds: quick ? 2 : 4,
        counts: quick ? [10_000] : [10, 1000, 10_000, 100_000],
        templates: quick ? ['nftables'] : ['nftables', 'iptables', 'denylist'],
      }),
    containers: () =>
      benchContainers({ ...context, crowds: quick ? [1, 10] : [1, 10, 50, 100], starts: quick ? 5 : 15 }),
    gate: () => benchGate({ versions: quick ? ['28.5'] : ['20.10', '28.5'], starts: quick ? 5 : 20 }),
    rest: () =>
      benchRest({
        ...context,
        workloads: quick ? 20 : 200,
        services: quick ? 50 : 500,
        seconds: quick ? 15 : 60,
      }),
  };
  const figures: Figure[] = [];
  for (const part of PARTS.filter((one) => wanted.includes(one))) {
    say(`measuring: ${part}`);
    figures.push(...(await run[part]()));
  }
  const machine = thisMachine(engine.version);
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(machine)}\n\n${table(figures)}\n`);
}

/** The program as it is shipped: started from its sources, it would hold the compiler in memory. */
async function built(): Promise<string> {
  await execa('npm', ['run', '--silent', 'build'], { stdin: 'ignore' });
  return resolve('dist/cli/main.js');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`egresstrator: the benchmark failed: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
