/**
 * Containers for tests on a real Engine: runs them, asks from inside whether they reach something, and
 * removes them all in the end. All packets go between containers of one Engine of this machine.
 */
import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { z } from 'zod';
import { callEngine } from '../../lab/engine/api.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { identify } from '../../lab/process.ts';
import { waitFor } from '../../lab/wait.ts';
import type { Answer, Outcome, Target } from './probe.ts';
import { type Probe, startProbe } from './probes.ts';

export interface WorkloadOptions {
  /** The ACL keys it asks for; `undefined`: it is none of egresstrator's. */
  readonly acl?: string | undefined;
  /** Default: the Engine's own bridge. */
  readonly network?: string;
  /** More for `docker run`: `['--publish', '80']`. */
  readonly args?: readonly string[];
  /** Default: the workload image. */
  readonly image?: string;
  /** Default: sleep. */
  readonly command?: readonly string[];
}

export interface Workload {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** By the network's name. */
  readonly addresses: Readonly<Record<string, Addresses>>;
  /** Inside its network namespace. */
  readonly probe: Probe;
}

export interface Addresses {
  readonly ipv4: string;
  /** Empty where the network has none. */
  readonly ipv6: string;
}

export interface Ran {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export type Protocol = 'tcp' | 'udp' | 'icmp';

const Inspected = z.object({
  Id: z.string(),
  Name: z.string(),
  State: z.object({ Running: z.boolean(), Pid: z.number(), StartedAt: z.string() }),
  NetworkSettings: z.object({
    Networks: z
      .record(z.string(), z.object({ IPAddress: z.string(), GlobalIPv6Address: z.string() }))
      .nullable(),
  }),
});

/** Milliseconds after which no answer is a timeout; far more than any answer takes, also on a busy machine. */
const TIMEOUT = 15_000;

export class Workloads implements AsyncDisposable {
  readonly engine: Engine;
  /** Begins all names. */
  readonly prefix = `egt-${process.pid}-${randomBytes(2).toString('hex')}`;
  /** The name server of containers by their network: never the machine's own, which asks outside. */
  readonly nameServers = new Map<string, string>();
  /** Of workloads. */
  readonly image: string;
  readonly #probes: Probe[] = [];

  constructor(engine: Engine, image: string) {
    this.engine = engine;
    this.image = image;
  }

  static async on(engine: Engine): Promise<Workloads> {
    const workloads = new Workloads(engine, await ensureWorkloadImage(engine.socketPath));
    await workloads.#removeLeftovers();
    return workloads;
  }

  /** Runs `docker <args>`; never throws. */
  async docker(...args: readonly string[]): Promise<Ran> {
    const { exitCode, stdout, stderr } = await execa(
      'docker',
      ['-H', `unix://${this.engine.socketPath}`, ...args],
      { stdin: 'ignore', reject: false, timeout: 240_000 },
    );
    return { code: exitCode, stdout, stderr };
  }

  /** Runs `docker <args>`, which must succeed. */
  async must(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.docker(...args);
    if (code === 0) return stdout;
    throw new Error(`docker ${args.join(' ')}: ${stderr}`);
  }

  /** A user-defined network of both families; returns its name. */
  async network(name: string, ipv6Subnet?: string): Promise<string> {
    const full = `${this.prefix}-${name}`;
    const ipv6 = ipv6Subnet === undefined ? [] : ['--ipv6', '--subnet', ipv6Subnet];
    await this.must('network', 'create', '--label', this.label, ...ipv6, full);
    return full;
  }

  async run(name: string, options: WorkloadOptions = {}): Promise<Workload> {
    await this.start(name, options);
    return this.#workload(await this.#inspect(name));
  }

  /** As `run`, but returns as soon as the Engine does, with the id. */
  start(name: string, options: WorkloadOptions = {}): Promise<string> {
    const { acl, network = 'bridge', args = [], image = this.image, command = [] } = options;
    const asks = acl === undefined ? [] : ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', `EGRESSTRATOR_ACL=${acl}`];
    const nameServer = this.nameServers.get(network);
    const flags = [
      ...['--network', network],
      ...(nameServer === undefined ? [] : ['--dns', nameServer]),
      ...['--label', this.label, '--name', this.nameOf(name)],
      ...[...asks, ...args],
    ];
    return this.must('run', '--detach', ...flags, image, ...command);
  }

  /**
   * A container of ours as it is now, with a new probe inside, once it runs: after a restart of the Engine its containers
   * start again a little later than it answers.
   */
  async find(name: string): Promise<Workload> {
    const look = async () => {
      const seen = await this.#inspect(name);
      return seen.State.Running && seen;
    };
    return this.#workload(await waitFor(look, { what: `${name} to run` }));
  }

  async #inspect(name: string): Promise<z.infer<typeof Inspected>> {
    return Inspected.parse(await this.inspect(this.nameOf(name)));
  }

  #workload(seen: z.infer<typeof Inspected>): Workload {
    const probe = startProbe(seen.State.Pid);
    this.#probes.push(probe);
    const networks = Object.entries(seen.NetworkSettings.Networks ?? {});
    return {
      id: seen.Id,
      name: seen.Name.replace(/^\//, ''),
      pid: seen.State.Pid,
      startedAt: Date.parse(seen.State.StartedAt),
      addresses: Object.fromEntries(
        networks.map(([network, { IPAddress, GlobalIPv6Address }]) => [
          network,
          { ipv4: IPAddress, ipv6: GlobalIPv6Address },
        ]),
      ),
      probe,
    };
  }

  /** What the Engine says of a container, by its name or id: the docker command would need ten times as long to ask. */
  async inspect(container: string): Promise<unknown> {
    const { status, body } = await callEngine(this.engine.socketPath, 'GET', `/containers/${container}/json`);
    if (status !== 200) throw new Error(`the Engine does not tell of ${container}: ${JSON.stringify(body)}`);
    return body;
  }

  nameOf(name: string): string {
    return `${this.prefix}-${name}`;
  }

  /** A command inside a container, by the Engine. */
  exec(workload: Workload, ...command: readonly string[]): Promise<Ran> {
    return this.docker('exec', workload.id, ...command);
  }

  /** Removes containers while the others go on. */
  async remove(...workloads: readonly Workload[]): Promise<void> {
    await Promise.all(workloads.map(({ probe }) => probe.close()));
    await this.must('rm', '--force', '--volumes', ...workloads.map(({ id }) => id));
  }

  /** Removes all of them, and their networks; others can be started thereafter. */
  async removeAll(): Promise<void> {
    await Promise.all(this.#probes.map((probe) => probe.close()));
    await this.#removeLabelled(this.label);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.removeAll();
  }

  /** By which it removes them in the end. */
  get label(): string {
    return `egresstrator-test=${this.prefix}`;
  }

  /** Those of test runs that ended without tidying up: controllers and `--all` would find them. */
  async #removeLeftovers(): Promise<void> {
    const format = ['--filter', 'label=egresstrator-test', '--format', '{{.Label "egresstrator-test"}}'];
    const lists = [await this.must('ps', '--all', ...format), await this.must('network', 'ls', ...format)];
    const labels = new Set(lists.flatMap((list) => list.split('\n')).filter(Boolean));
    for (const label of labels) {
      const pid = Number(/^egt-(\d+)-/.exec(label)?.[1]);
      if (identify(pid) === undefined) await this.#removeLabelled(`egresstrator-test=${label}`);
    }
  }

  async #removeLabelled(label: string): Promise<void> {
    const ours = ['--quiet', '--filter', `label=${label}`];
    const containers = (await this.must('ps', '--all', ...ours)).split('\n').filter(Boolean);
    if (containers.length > 0) await this.must('rm', '--force', '--volumes', ...containers);
    const networks = (await this.must('network', 'ls', ...ours)).split('\n').filter(Boolean);
    if (networks.length > 0) await this.must('network', 'rm', ...networks);
  }
}

/** Whether `workload` gets an answer from there; `port` is nothing to ICMP. */
export async function connects(
  workload: Workload,
  address: string,
  port: number,
  protocol: Protocol = 'tcp',
): Promise<Outcome> {
  if (protocol === 'icmp') return pings(workload, address);
  return (await reach(workload, { protocol, address, port })).outcome;
}

export const reach = ({ probe }: Workload, target: Target): Promise<Answer> => probe.reach(target, TIMEOUT);

/** Busybox says "Operation not permitted" where the kernel refuses to send. */
async function pings({ pid }: Workload, address: string): Promise<Outcome> {
  const ping = ['busybox', address.includes(':') ? 'ping6' : 'ping', '-c1', '-W2', address];
  const { exitCode, stderr, stdout } = await execa('nsenter', [`--net=/proc/${pid}/ns/net`, ...ping], {
    reject: false,
  });
  if (exitCode === 0) return 'ok';
  if (/permitted|denied/i.test(stderr)) return 'refused';
  return /unreachable/i.test(stdout + stderr) ? 'unreachable' : 'timeout';
}
