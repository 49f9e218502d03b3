/**
 * The real system for the naive model of networks.json: an Engine, a few containers, and a controller that watches one file.
 */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from './egresstrator.ts';
import { engineName, type TestedEngine } from './engines.ts';
import { ensureTestImage } from './helper-image.ts';
import type { NaiveForward, NaivePermit } from './naive-networks.ts';
import { type Docker, type Held, heldAfter, thirdOf } from './naive-networks-host.ts';
import { type RandomFile, textOf } from './networks-file.ts';
import { dockerOf, expected, observed } from './networks-host.ts';
import type { Target } from './probe.ts';
import { type Probe, startProbe } from './probes.ts';
import { Workloads } from './workloads.ts';

/** Milliseconds until all is right; most of it is for a machine that does other things. */
const REST = 60_000;

/** Of the names in random files. Names that are alike run side by side, and others run nowhere. */
const SERVING = ['web', 'data_base', 'cache'] as const;
const OTHERS = ['proxy-1', 'proxy_1', 'nobody'] as const;
const ON_HOST = 'database';
const NAMES: readonly string[] = [...SERVING, ...OTHERS];
/** None that runs beside them has a name that is alike. */
const ALONE = ['web', 'cache', 'nobody'];
const PORTS = [1, 2, 3, 4, 80];

interface Inside {
  readonly pid: number;
  readonly probe: Probe;
}

interface Parts {
  readonly engine: OwnEngine;
  readonly workloads: Workloads;
  readonly consul: Consul;
  /** Of the watched file. */
  readonly folder: string;
  readonly controller: RunningController;
}

const EMPTY: RandomFile = { networks: [], ips: [], policies: [] };

/** A call, and whether the target answers. */
interface Call {
  readonly from: string;
  readonly target: Target;
  readonly passes: boolean;
}

export class NetworksSystem implements AsyncDisposable {
  /** Real calls that were as the model says. */
  calls = 0;
  #file = EMPTY;
  /** As it was when the file came. */
  #before: Docker | undefined;
  readonly #inside = new Map<string, Inside>();
  readonly #parts: Parts;

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  static async open(version: TestedEngine): Promise<NetworksSystem> {
    const name = engineName(`networks-model-${version}`);
    const [engine, consul] = await Promise.all([
      startEngine({ version, name, diesWithParent: true }),
      startConsul(),
    ]);
    const image = await ensureTestImage(engine);
    const workloads = await Workloads.on(engine);
    const folder = mkdtempSync(join(tmpdir(), 'egt-networks-'));
    writeFileSync(join(folder, 'networks.json'), '{}');
    const args = ['-i', image, '-c', consul.address, '--networks', join(folder, 'networks.json')];
    await Promise.all(NAMES.map((one) => runPlain(workloads, one, 'bridge')));
    await runPlain(workloads, ON_HOST, 'host');
    const controller = await startController({ engine, args });
    const system = new NetworksSystem({ engine, workloads, consul, folder, controller });
    await Promise.all(NAMES.map((one) => system.#enter(one)));
    return system;
  }

  async write(file: RandomFile): Promise<void> {
    this.#before = await dockerOf(this.#parts.engine);
    this.#file = file;
    const path = join(this.#parts.folder, 'networks.json');
    writeFileSync(`${path}.new`, textOf(file));
    renameSync(`${path}.new`, path);
  }

  /** Waits until all is held as the model says, and some calls are answered, or not, as it says. */
  async comesTrue(): Promise<void> {
    let wrong: readonly string[] = [];
    const look = async () => {
      wrong = differences(expected(this.#held()), await this.#observed());
      if (wrong.length === 0) wrong = await this.#wrongCalls();
      return wrong.length === 0;
    };
    await waitFor(look, { what: 'the model to come true', timeout: REST, interval: 200 }).catch(
      async (error) => {
        const log = this.#parts.controller.output.slice(-4_000);
        const docker = [this.#before, await dockerOf(this.#parts.engine)].map(shown);
        throw new Error([error, ...wrong, textOf(this.#file), ...docker, log].join('\n'));
      },
    );
  }

  /** Of all that was made. The empty file is in force before, so nothing is made again. */
  async removeNetworks(): Promise<void> {
    await this.write(EMPTY);
    await this.comesTrue();
    const { workloads, engine } = this.#parts;
    const { nets, ends } = await dockerOf(engine);
    for (const { container, ip } of ends) {
      const network = nets.find(({ third }) => `${third}` === thirdOf(ip))?.name ?? '';
      await workloads.must('network', 'disconnect', '--force', network, container);
    }
    if (nets.length > 0) await workloads.must('network', 'rm', ...nets.map(({ name }) => name));
  }

  /** Starts one of the containers again: while it does not run, its name may mean one that is alike. */
  async restart(which: number): Promise<void> {
    const name = ALONE[which % ALONE.length] ?? '';
    await this.#inside.get(name)?.probe.close();
    await this.#startAgain(name);
    await this.#enter(name);
    // Its address on the Engine's own bridge may be another one.
    if (this.#before !== undefined) {
      const { own } = await dockerOf(this.#parts.engine);
      this.#before = { ...this.#before, own };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { engine, consul, folder, controller, workloads } = this.#parts;
    await controller[Symbol.asyncDispose]();
    await Promise.all([...this.#inside.values()].map(({ probe }) => probe.close()));
    await workloads[Symbol.asyncDispose]();
    await consul.stop();
    await engine.remove();
    rmSync(folder, { recursive: true });
  }

  /** Once an Engine 28.5 on a busy machine had a container run again without any network, which only another start mends. */
  async #startAgain(name: string): Promise<void> {
    const { workloads, engine } = this.#parts;
    await workloads.must('restart', '--time', '0', name);
    if ((await dockerOf(engine)).own.has(name)) return;
    process.stdout.write(`networks model: ${name} runs again without a network; starting it once more\n`);
    await workloads.must('restart', '--time', '0', name);
  }

  async #enter(name: string): Promise<void> {
    const pid = Number(await this.#parts.workloads.must('inspect', '--format', '{{.State.Pid}}', name));
    const probe = startProbe(pid);
    this.#inside.set(name, { pid, probe });
    if (isServing(name)) await probe.serve(PORTS);
  }

  #held(): Held {
    if (this.#before === undefined) throw new Error('there was no file yet');
    return heldAfter(this.#file, this.#before);
  }

  #observed(): Promise<readonly string[]> {
    return observed(
      this.#parts.engine,
      new Map([...this.#inside].map(([name, { pid }]): [string, number] => [name, pid])),
    );
  }

  async #wrongCalls(): Promise<readonly string[]> {
    const calls = callsOf(this.#held(), await dockerOf(this.#parts.engine));
    const wrong: string[] = [];
    for (const { from, target, passes } of calls) {
      const answer = await this.#inside.get(from)?.probe.reach(target, passes ? 1_500 : 250);
      if ((answer?.outcome === 'ok') !== passes)
        wrong.push(
          `${from} calls ${JSON.stringify(target)}: ${answer?.outcome}, not ${passes ? 'ok' : 'denied'}`,
        );
    }
    if (wrong.length === 0) this.calls += calls.length;
    return wrong;
  }
}

const shown = (docker: Docker | undefined): string =>
  JSON.stringify(docker && { ...docker, own: [...docker.own] });

const isServing = (name: string): boolean => SERVING.some((one) => one === name);

const runPlain = (workloads: Workloads, name: string, network: string) =>
  workloads.must(
    'run',
    '--detach',
    '--network',
    network,
    '--label',
    workloads.label,
    '--name',
    name,
    workloads.image,
  );

const differences = (wanted: readonly string[], found: readonly string[]): readonly string[] => [
  ...wanted.filter((line) => !found.includes(line)).map((line) => `missing: ${line}`),
  ...found.filter((line) => !wanted.includes(line)).map((line) => `too much: ${line}`),
];

/** A sample of what the model says of containers that run. */
const callsOf = (held: Held, docker: Docker): readonly Call[] => [
  ...held.permits.flatMap((permit) => callsBy(permit, held)).slice(0, 6),
  ...[...held.forwards]
    .flatMap(([name, all]) => all.flatMap((one) => callsAt(name, one, held, docker)))
    .slice(0, 2),
];

/** A permitted call, and one to a port beside, between containers that have no other way to each other. */
function callsBy({ from, to, protocol, range }: NaivePermit, { ends, permits }: Held): readonly Call[] {
  const holderOf = (ip: string) => ends.find((end) => end.ip === ip)?.container;
  const isIn = (container: string | undefined, ip: string) =>
    ends.some((end) => end.container === container && thirdOf(end.ip) === thirdOf(ip));
  const [source, target] = [holderOf(from), holderOf(to)];
  if (source === undefined || target === undefined || !isServing(target)) return [];
  if (isIn(source, to) || isIn(target, from)) return [];
  const way = protocol === 'udp' ? 'udp' : 'tcp';
  const call = (port: number, passes: boolean): Call => ({
    ...{ from: source, target: { protocol: way, address: to, port }, passes },
  });
  const beside = permits.some((one) => one.range === '80-80') ? [] : [call(80, false)];
  return [call(Number(range.split('-')[0]), true), ...beside];
}

/**
 * A port of a container that leads to another, called by a third. All are on the Engine's own bridge too, where a server
 * answers datagrams from its address there, and not from the one that was called.
 */
function callsAt(name: string, forward: NaiveForward, { ends }: Held, { own }: Docker): readonly Call[] {
  if (forward.protocol !== 'tcp') return [];
  const target = ends.find(({ ip }) => ip === forward.to)?.container;
  const address = own.get(name);
  const from = OTHERS.find((one) => one !== name);
  if (target === undefined || address === undefined || from === undefined || forward.device === 'wg0')
    return [];
  if (!isServing(target) || isServing(name) || target === name) return [];
  return [{ from, target: { protocol: 'tcp', address, port: Number(forward.port) }, passes: true }];
}
