/**
 * Names of containers on a real Engine: the time of a question beside Docker's own resolver, which passes the same
 * questions on to the same server; and what 10,000 questions a second, each with a new grant, do to the rest of the
 * controller: the time from an edit of a key to the rules in force.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type EngineVersion, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../../test/support/egresstrator.ts';
import { type Workload, Workloads } from '../../test/support/workloads.ts';
import { type Figure, sample } from './measure.ts';
import { type Asked, askedFrom, asker } from './names.ts';

export interface NamesEngineBench {
  readonly versions: readonly EngineVersion[];
  readonly questions: number;
  /** Of each figure; it is the median of them. */
  readonly rounds: number;
  /** The controller's. */
  readonly program: string;
}

/** Containers with names that ask at once: of each, 5,000 messages a second are looked at. */
const ASKERS = 3;
const RATE = 10_000;
/** Milliseconds from one edit of the key to the next. */
const BETWEEN = 300;
const KEY = 'egress/acl/plain';

export async function benchNamesEngine(bench: NamesEngineBench): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const version of bench.versions) figures.push(...(await benchEngine(version, bench)));
  return figures;
}

async function benchEngine(version: EngineVersion, bench: NamesEngineBench): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const site = await openSite(version, bench.program, stack);
  const group = `names, Engine ${version}`;
  return [...(await besideDocker(site, bench, group)), ...(await underLoad(site, bench, group))];
}

interface Site {
  readonly client: string;
  readonly consul: Consul;
  readonly controller: RunningController;
  /** Asks Docker's resolver. */
  readonly other: Workload;
  /** Has rules by address, in the key that is edited. */
  readonly plain: Workload;
  readonly askers: readonly Workload[];
}

async function openSite(version: EngineVersion, program: string, stack: AsyncDisposableStack): Promise<Site> {
  const { folder, program: client } = await asker();
  stack.defer(() => rmSync(folder, { recursive: true }));
  const engine = await startEngine({ version, name: `bench-${version}`, diesWithParent: true });
  stack.defer(() => engine.remove());
  const consul = await startConsul({ engine });
  stack.defer(() => consul.stop());
  await consul.call('PUT', `/v1/kv/${KEY}`, '10.0.0.1:tcp/1');
  await consul.call('PUT', '/v1/kv/egress/acl/names', '*.x.test@10.83.0.0/16:tcp/443');
  const workloads = stack.use(await Workloads.on(engine));
  const network = await workloads.network('names');
  const server = await workloads.run('server', { network });
  const { ipv4 } = server.addresses[network] ?? { ipv4: '' };
  const serving = spawn('nsenter', [...inside(server), client, 'serve', '0.0.0.0', '53'], {
    stdio: 'ignore',
  });
  stack.defer(() => void serving.kill());
  const args = [
    ...['-c', consul.address, '--loader', 'nsenter', '--names-upstream', ipv4],
    ...['--names-fresh', '100000', '--names-limit', '60000,60000'],
  ];
  const { networkPrefix } = engine;
  const controller = stack.use(await startController({ engine, args, program, networkPrefix }));
  // None of them asks the machine's own servers.
  const dns = ['--dns', ipv4];
  const other = await workloads.run('other', { network, args: dns });
  const plain = await workloads.run('plain', { network, acl: 'plain', args: dns });
  const askers: Workload[] = [];
  for (let index = 0; index < ASKERS; index++)
    askers.push(await workloads.run(`asker-${index}`, { network, acl: 'names', args: dns }));
  await waitFor(() => areAnswering(controller), { what: 'answers to names', timeout: 60_000, interval: 100 });
  return { client, consul, controller, other, plain, askers };
}

const inside = ({ pid }: Workload): readonly string[] => [`--net=/proc/${pid}/ns/net`];

async function areAnswering(controller: RunningController): Promise<boolean> {
  const { namespaces } = await controller.status();
  return namespaces.filter(({ names }) => names?.state === 'answering').length === ASKERS;
}

/** Both by the address that is in the file resolv.conf of each. */
async function besideDocker(
  site: Site,
  { questions, rounds }: NamesEngineBench,
  group: string,
): Promise<readonly Figure[]> {
  const [asking = site.other] = site.askers;
  const ask = async (workload: Workload, label: string, ...fresh: readonly string[]): Promise<Asked> => {
    const words = ['ask', '127.0.0.11', '53', `${Math.ceil(questions / rounds)}`, '1', label, ...fresh];
    const { stdout } = await execa('nsenter', [...inside(workload), site.client, ...words]);
    const asked = askedFrom(stdout);
    if (asked.failed > 0) throw new Error(`${asked.failed} questions had no address`);
    return asked;
  };
  const figures: Figure[] = [];
  for (const [what, ...fresh] of [['a new name, with its grant', 'fresh'], ['a known name']] as const) {
    const pairs: { ours: Asked; docker: Asked }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const label = `r${round}`;
      pairs.push({
        ours: await ask(asking, label, ...fresh),
        docker: await ask(site.other, label, ...fresh),
      });
    }
    for (const key of ['median', 'p99'] as const) {
      const of = (side: 'ours' | 'docker') => sample(pairs.slice(1).map((pair) => pair[side][key])).median;
      const floor = { floor: of('docker'), floorName: "µs Docker's resolver", target: '≤ 1.5' };
      figures.push({ group, what: `${what}, ${key}`, unit: 'µs', value: of('ours'), ...floor });
    }
  }
  return figures;
}

async function underLoad(
  site: Site,
  { rounds }: NamesEngineBench,
  group: string,
): Promise<readonly Figure[]> {
  await edit(site, 0);
  const quiet = await edits(site, rounds, 100);
  const seconds = Math.ceil((rounds * (BETWEEN + 200)) / 1000) + 2;
  const loads = site.askers.map((workload, index) => load(site, workload, index, seconds));
  await sleep(1_000);
  const busy = await edits(site, rounds, 200);
  const asked = await Promise.all(loads);
  const rate = asked.reduce((sum, one) => sum + one.rate, 0);
  const failed = asked.reduce((sum, one) => sum + one.failed, 0);
  return [
    { group, what: `answers, of ${RATE} asked`, unit: '1/s', value: rate },
    { group, what: 'questions without an answer', unit: '%', value: (100 * failed) / (RATE * seconds) },
    {
      ...{ group, what: `KV edit → enforced, under ${RATE} questions/s`, unit: 'ms', value: busy },
      ...{ floor: quiet, floorName: 'ms without questions', target: '≤ 1.5' },
    },
  ];
}

/** The median of so many edits. */
async function edits(site: Site, rounds: number, first: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    times.push(await edit(site, first + round));
    await sleep(BETWEEN);
  }
  return sample(times).median;
}

/** Milliseconds until the log says that the rules are in force. */
async function edit({ consul, controller, plain }: Site, number: number): Promise<number> {
  const from = controller.log.length;
  const started = Date.now();
  await consul.call('PUT', `/v1/kv/${KEY}`, `10.0.0.1:tcp/${1000 + number}`);
  const fits = ({ msg, container }: { msg: string; container?: unknown }) =>
    msg === 'rules loaded' && container === plain.name;
  const { time } = await controller.logged(fits, `rules loaded in ${plain.name}`, from, 60_000);
  return Date.parse(time) - started;
}

async function load(site: Site, workload: Workload, index: number, seconds: number): Promise<Asked> {
  const words = ['load', '127.0.0.11', '53', `${Math.ceil(RATE / ASKERS)}`, `${seconds}`, `l${index}`];
  const { stdout } = await execa('nsenter', [...inside(workload), site.client, ...words]);
  return askedFrom(stdout);
}
