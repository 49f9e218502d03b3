/**
 * `npm run bench`: figures and their floors from the same run, as a table and as JSON. `--quick` takes less time.
 * `--only compiling,commands,data-path,connections,host,ingress,names,networks,page,containers,gate,rest` runs some parts. `--only fleet` runs a
 * part that is not in the whole: many controllers and a Consul cluster.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { ensureCommands } from '../lab/apt.ts';
import { type Consul, startConsul } from '../lab/consul.ts';
import { type Engine, ensureEngine } from '../lab/engine.ts';
import { log } from '../lab/log.ts';
import { messageOf } from '../src/common/errors.ts';
import { ensureTestImage } from '../test/support/helper-image.ts';
import { benchCommands } from './bench/commands.ts';
import { benchCompiling } from './bench/compiling.ts';
import { benchContainers } from './bench/containers.ts';
import { benchDataPath, CONNECTIONS, THROUGHPUT } from './bench/data-path.ts';
import { benchFleet } from './bench/fleet.ts';
import { benchGate } from './bench/gate.ts';
import { benchHost } from './bench/host.ts';
import { benchIngressPath } from './bench/ingress-path.ts';
import { benchIngressStart } from './bench/ingress-start.ts';
import type { Figure } from './bench/measure.ts';
import { benchNames } from './bench/names.ts';
import { benchNamesEngine } from './bench/names-engine.ts';
import { benchNetworks } from './bench/networks.ts';
import { benchPage } from './bench/page.ts';
import { benchBrowser } from './bench/page-browser.ts';
import { benchPageState } from './bench/page-state.ts';
import { table, thisMachine } from './bench/report.ts';
import { benchRest } from './bench/rest.ts';

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean' }, only: { type: 'string' }, json: { type: 'string' } },
});
const quick = options.quick === true;

interface Fixture {
  readonly engine: Engine;
  readonly consul: Consul;
  /** For helpers. */
  readonly image: string;
  /** The built program: started from its sources, the controller would hold the compiler in memory. */
  readonly program: string;
}

/** Runs a part with an Engine, and a Consul of its own. */
async function withFixture(
  bench: (fixture: Fixture) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> {
  // The loader `nsenter` runs this machine's own programs.
  await ensureCommands({ nft: 'nftables', nsenter: 'util-linux' });
  const engine = await ensureEngine({ version: 'host' });
  const image = await ensureTestImage(engine);
  await using consul = await startConsul({ connections: 1000 });
  return await bench({ engine, consul, image, program: resolve('dist/cli/main.js') });
}

const DATA_PATH = {
  counts: quick ? [10_000] : [10, 1000, 10_000, 100_000],
  templates: quick ? ['nftables'] : ['nftables', 'iptables', 'denylist'],
};

const NAMES = quick
  ? { questions: 6_000, rounds: 3, namespaces: 50 }
  : { questions: 20_000, rounds: 5, namespaces: 200 };

const LARGE_PAGE = { workloads: 1_000, denied: 10, keys: 100 };

const PARTS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  compiling: () => benchCompiling(quick ? [1000, 10_000] : [10, 1000, 10_000, 100_000]),
  commands: () => benchCommands(quick ? 3 : 9),
  'data-path': () => benchDataPath({ ...DATA_PATH, measures: THROUGHPUT, rounds: quick ? 3 : 5 }),
  connections: () => benchDataPath({ ...DATA_PATH, measures: CONNECTIONS, rounds: quick ? 5 : 15 }),
  host: () => benchHost(10_000, quick ? 5 : 15),
  ingress: async () => [
    ...(await benchIngressPath(quick ? [1000] : [1, 1000, 100_000], quick ? 5 : 15)),
    ...(await withFixture((fixture) =>
      benchIngressStart({ ...fixture, starts: quick ? 5 : 15, count: 1000 }),
    )),
  ],
  names: async () => [
    ...(await benchNames(NAMES)),
    ...(await benchNamesEngine({
      ...{ versions: quick ? ['28.5'] : ['20.10', '28.5'], questions: quick ? 3_000 : 10_000 },
      ...{ rounds: quick ? 5 : 11, program: resolve('dist/cli/main.js') },
    })),
  ],
  networks: () =>
    benchNetworks({
      ...{ versions: quick ? ['28.5'] : ['20.10', '28.5'], rounds: quick ? 5 : 11 },
      program: resolve('dist/cli/main.js'),
    }),
  page: async () => [
    ...(await benchPageState(quick ? { workloads: 200, denied: 10, keys: 50 } : LARGE_PAGE)),
    ...(await withFixture((fixture) =>
      benchPage({ ...fixture, seconds: quick ? 15 : 60, denials: quick ? 5 : 20 }),
    )),
    ...(await benchBrowser({
      ...{ program: resolve('dist/cli/main.js'), rounds: quick ? 3 : 11 },
      ...{ workloads: 1_000, denials: 10_000 },
    })),
  ],
  containers: () =>
    withFixture((fixture) =>
      benchContainers({
        ...fixture,
        workloadCounts: quick ? [1, 10] : [1, 10, 50, 100],
        starts: quick ? 5 : 11,
      }),
    ),
  gate: () => benchGate({ versions: quick ? ['28.5'] : ['20.10', '28.5'], starts: quick ? 5 : 15 }),
  rest: () =>
    withFixture((fixture) =>
      benchRest({
        ...fixture,
        workloads: quick ? 20 : 200,
        services: quick ? 50 : 500,
        seconds: quick ? 15 : 60,
      }),
    ),
  fleet: () =>
    benchFleet({
      agents: 4,
      services: quick ? 20 : 50,
      keys: quick ? 20 : 100,
      hosts: quick ? [8] : [40],
      seconds: quick ? 45 : 90,
    }),
};

async function main(): Promise<void> {
  const wanted = options.only?.split(',') ?? Object.keys(PARTS).filter((part) => part !== 'fleet');
  const unknown = wanted.filter((part) => !Object.hasOwn(PARTS, part));
  if (unknown.length > 0)
    throw new Error(`there is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
  await execa('npm', ['run', '--silent', 'build'], { stdin: 'ignore' });
  const figures: Figure[] = [];
  for (const [part, measure] of Object.entries(PARTS)) {
    if (!wanted.includes(part)) continue;
    log(`measuring: ${part}`);
    figures.push(...(await measure()));
  }
  const machine = thisMachine();
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
  process.stdout.write(`${JSON.stringify(machine)}\n\n${table(figures)}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`egresstrator: the benchmark failed: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
