/**
 * `npm run bench`: figures beside their floors of the same run, as a table and as JSON. `--quick` takes
 * about two minutes; `--only resolving,commands,data-path,containers,gate,rest` takes a part.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ensureCommands } from '../lab/apt.ts';
import { type Consul, startConsul } from '../lab/consul.ts';
import { type Engine, ensureEngine } from '../lab/engine.ts';
import { say } from '../lab/say.ts';
import { messageOf } from '../src/domain/errors.ts';
import { ensureTestImage } from '../test/support/egresstrator.ts';
import { benchCommands } from './bench/commands.ts';
import { benchContainers } from './bench/containers.ts';
import { benchDataPath } from './bench/data-path.ts';
import { benchGate } from './bench/gate.ts';
import type { Figure } from './bench/measure.ts';
import { table, thisMachine } from './bench/report.ts';
import { benchResolving } from './bench/resolving.ts';
import { benchRest } from './bench/rest.ts';

const PARTS = ['resolving', 'commands', 'data-path', 'containers', 'gate', 'rest'] as const;
type Part = (typeof PARTS)[number];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
});
const quick = options.quick === true;

interface Lab {
  readonly engine: Engine;
  readonly consul: Consul;
  readonly image: string;
}

/** What needs nothing but this program. */
const ALONE: readonly Part[] = ['commands'];

const RUN: Readonly<Record<Part, (lab: () => Promise<Lab>) => Promise<readonly Figure[]>>> = {
  resolving: () => benchResolving(quick ? [1000, 10_000] : [10, 1000, 10_000, 100_000]),
  commands: () => benchCommands(quick ? 3 : 9),
  'data-path': () =>
    benchDataPath({
      seconds: quick ? 2 : 4,
      counts: quick ? [10_000] : [10, 1000, 10_000, 100_000],
      templates: quick ? ['nftables'] : ['nftables', 'iptables', 'denylist'],
    }),
  containers: async (lab) =>
    benchContainers({ ...(await lab()), crowds: quick ? [1, 10] : [1, 10, 50, 100], starts: quick ? 5 : 15 }),
  gate: () => benchGate({ versions: quick ? ['28.5'] : ['20.10', '28.5'], starts: quick ? 5 : 20 }),
  rest: async (lab) =>
    benchRest({
      ...(await lab()),
      workloads: quick ? 20 : 200,
      services: quick ? 50 : 500,
      seconds: quick ? 15 : 60,
    }),
};

async function main(): Promise<void> {
  const wanted = options.only?.split(',') ?? PARTS;
  const parts = PARTS.filter((one) => wanted.includes(one));
  // The loader `nsenter` runs the machine's own.
  if (parts.some((part) => !ALONE.includes(part)))
    await ensureCommands({ nft: 'nftables', nsenter: 'util-linux' });
  await using stack = new AsyncDisposableStack();
  let opened: Promise<Lab> | undefined;
  const lab = () => {
    opened ??= openLab(stack);
    return opened;
  };
  const figures: Figure[] = [];
  for (const part of parts) {
    say(`measuring: ${part}`);
    figures.push(...(await RUN[part](lab)));
  }
  const machine = thisMachine((await opened)?.engine.version ?? 'none');
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(machine)}\n\n${table(figures)}\n`);
}

async function openLab(stack: AsyncDisposableStack): Promise<Lab> {
  const engine = await ensureEngine({ version: 'host' });
  const image = await ensureTestImage(engine);
  return { engine, image, consul: stack.use(await startConsul()) };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`egresstrator: the benchmark failed: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
