/**
 * The host of an Engine, for tests of rules for it: an Engine in a network namespace of its own, a Consul, workloads, and a
 * caller outside. That is this machine, which reaches an Engine's containers as any router's neighbour would, or a
 * namespace beside the host.
 */
import { basename } from 'node:path';
import { execa } from 'execa';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { stopLabEngine } from '../../lab/engine/all.ts';
import { type EngineOptions, type OwnEngine, startEngine } from '../../lab/engine.ts';
import { type Caller, createCaller } from '../../lab/netns.ts';
import { waitFor } from '../../lab/wait.ts';
import { type ControllerOptions, type RunningController, startController } from './egresstrator.ts';
import { engineName, type TestedEngine } from './engines.ts';
import { ensureTestImage } from './helper-image.ts';
import type { Outcome, Target } from './probe.ts';
import { type Probe, startProbe } from './probes.ts';
import { type Ran, type Workload, Workloads } from './workloads.ts';

/** The name of the host in Consul. */
export const NODE = 'host-under-test';

/** Milliseconds after which no answer is silence: what is let through answers within a few. */
const SILENCE = 1_000;
/** What should answer may take longer, on a busy machine. */
const ANSWER = 15_000;

type Parts = Pick<EngineHost, 'version' | 'consul' | 'engine' | 'image' | 'workloads' | 'outside'>;
type EngineChoice = Pick<EngineOptions, 'daemonOptions' | 'iptables'>;

export class EngineHost implements AsyncDisposable {
  readonly version: TestedEngine;
  readonly consul: Consul;
  /** For helpers. */
  readonly image: string;
  readonly workloads: Workloads;
  readonly outside: Probe;
  engine: OwnEngine;

  constructor(parts: Parts) {
    this.version = parts.version;
    this.consul = parts.consul;
    this.image = parts.image;
    this.workloads = parts.workloads;
    this.outside = parts.outside;
    this.engine = parts.engine;
  }

  /** `consulFolder`: where Consul keeps its data when it is killed; default: it forgets them. */
  static async start(
    version: TestedEngine,
    { consulFolder, ...choice }: EngineChoice & { readonly consulFolder?: string } = {},
  ): Promise<EngineHost> {
    const [consul, engine] = await Promise.all([
      startConsul(consulFolder === undefined ? {} : { dataDir: consulFolder }),
      startHostEngine(version, choice),
    ]);
    const image = await ensureTestImage(engine);
    const workloads = await Workloads.on(engine);
    return new EngineHost({ version, consul, engine, image, workloads, outside: startProbe(process.pid) });
  }

  /** Restarts the Engine with other options. */
  async restartWith(...daemonOptions: readonly string[]): Promise<void> {
    this.engine = await restartHostEngine(this.version, { daemonOptions });
  }

  /** What becomes of a call: `timeout` where nothing answers at once. */
  calls(address: string, port: number, from: Probe = this.outside, timeout = SILENCE): Promise<Outcome> {
    return outcomeOf({ protocol: 'tcp', address, port }, from, timeout);
  }

  /** The same where an answer, or a refusal, is expected. */
  answers(address: string, port: number, from: Probe = this.outside): Promise<Outcome> {
    return answerOf({ protocol: 'tcp', address, port }, from);
  }

  becomes(address: string, port: number, outcome: Outcome, from: Probe = this.outside): Promise<true> {
    return outcomeBecomes({ protocol: 'tcp', address, port }, outcome, from);
  }

  /** A command in the network namespace of the host. */
  async run(...command: readonly string[]): Promise<Ran> {
    return this.runWith('', ...command);
  }

  async runWith(input: string, ...command: readonly string[]): Promise<Ran> {
    const [file = '', ...args] = [...this.engine.networkPrefix, ...command];
    const { exitCode, stdout, stderr } = await execa(file, args, { reject: false, input });
    return { code: exitCode, stdout, stderr };
  }

  /** A controller with this Consul and the helper image. */
  control(
    args: readonly string[],
    options: Pick<ControllerOptions, 'folder' | 'until'> = {},
  ): Promise<RunningController> {
    const source = ['-c', this.consul.address, '-i', this.image, '--node', NODE];
    return startController({ engine: this.engine, ...options, args: [...source, ...args] });
  }

  /** Registers a service on this host, or changes it. */
  async register(
    id: string,
    address: string,
    port: number,
    more: { readonly Service?: string; readonly Tags?: readonly string[] } = {},
  ): Promise<void> {
    const Service = { ID: id, Service: id, Address: address, Port: port, ...more };
    await this.consul.call('PUT', '/v1/catalog/register', { Node: NODE, Address: '192.0.2.1', Service });
  }

  async deregister(id: string): Promise<void> {
    await this.consul.call('PUT', '/v1/catalog/deregister', { Node: NODE, ServiceID: id });
  }

  /** The images stay for the next file that runs here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.outside.close();
    await this.workloads[Symbol.asyncDispose]();
    await Promise.all([this.engine.reset(), this.consul.stop()]);
  }
}

const nameFor = (version: TestedEngine): string => engineName(`host-${version}`);

/** An Engine for one file, which ends with its `reset`. Its images are there from the file before. */
export async function startHostEngine(version: TestedEngine, choice: EngineChoice): Promise<OwnEngine> {
  // A file that was ended in the middle has left its namespace, with its rules.
  await stopLabEngine(nameFor(version));
  return restartHostEngine(version, choice);
}

/** The same Engine in the same namespace, with other options. */
export const restartHostEngine = (version: TestedEngine, choice: EngineChoice): Promise<OwnEngine> =>
  startEngine({ version, name: nameFor(version), diesWithParent: true, ...choice });

/** A caller beside the host, with a link of its own to it. */
export const callerBeside = ({ networkPrefix }: OwnEngine): Promise<Caller> =>
  createCaller(basename(networkPrefix[1] ?? ''));

export const publish = (...ports: readonly string[]): readonly string[] =>
  ports.flatMap((port) => ['--publish', port]);

/** On the Engine's own bridge. */
export const addressOf = ({ addresses }: Workload): string => addresses.bridge?.ipv4 ?? '';

export const outcomeOf = async (target: Target, from: Probe, timeout = SILENCE): Promise<Outcome> =>
  (await from.reach(target, timeout)).outcome;

/** The same where an answer, or a refusal, is expected. */
export const answerOf = (target: Target, from: Probe): Promise<Outcome> => outcomeOf(target, from, ANSWER);

export const outcomeBecomes = (target: Target, outcome: Outcome, from: Probe): Promise<true> =>
  waitFor(async () => (await outcomeOf(target, from)) === outcome || undefined, {
    ...{ what: `${target.protocol} ${target.address}:${target.port} to be ${outcome}`, timeout: 90_000 },
  });
