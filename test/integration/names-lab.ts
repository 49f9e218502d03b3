/**
 * What tests of rules by name share: a controller whose upstream resolver is the test's own, on loopback, and questions
 * from inside containers, by the programs there.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import packet from 'dns-packet';
import { execa } from 'execa';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import type { TestedEngine } from '../support/engines.ts';
import { control, type Fixture, openFixture, putKey } from '../support/fixture.ts';
import type { Workload, WorkloadOptions } from '../support/workloads.ts';
import { startNameServer } from '../unit/name-proxy/name-servers.ts';

type Upstream = Awaited<ReturnType<typeof startNameServer>>;

export class NamesLab implements AsyncDisposable {
  readonly fixture: Fixture;
  /** What the upstream resolver knows: addresses of both families by name. */
  readonly zone: Map<string, readonly string[]>;
  /** Keeps what the controller knows. */
  readonly folder = mkdtempSync(join(tmpdir(), 'egt-names-'));
  readonly #upstream: Upstream;
  #controller: RunningController | undefined;

  private constructor(fixture: Fixture, zone: Map<string, readonly string[]>, upstream: Upstream) {
    this.fixture = fixture;
    this.zone = zone;
    this.#upstream = upstream;
  }

  static async open(version: TestedEngine): Promise<NamesLab> {
    const fixture = await openFixture(version);
    const zone = new Map<string, readonly string[]>();
    const upstream = await startNameServer(({ name, bytes, answer }) =>
      answer(answerTo(bytes, zone.get(name))),
    );
    return new NamesLab(fixture, zone, upstream);
  }

  /** Starts the controller, or the next one with the same folder. */
  async start(...args: readonly string[]): Promise<RunningController> {
    await this.#controller?.stop();
    const upstream = `127.0.0.1:${this.#upstream.endpoint.port}`;
    const all = ['--loader', 'nsenter', '--names-upstream', upstream, ...args];
    this.#controller = await control(this.fixture, 'names/', all, this.folder);
    return this.#controller;
  }

  /** The names that upstream was asked for. */
  get asked(): readonly string[] {
    return this.#upstream.asked.map(({ name }) => name);
  }

  get controller(): RunningController {
    if (this.#controller === undefined) throw new Error('no controller');
    return this.#controller;
  }

  key(name: string, ...lines: readonly string[]): Promise<void> {
    return putKey(this.fixture, `names/${name}`, ...lines);
  }

  /** Runs a workload, and waits until its names are answered. */
  async run(name: string, options: WorkloadOptions): Promise<Workload> {
    const workload = await this.fixture.workloads.run(name, options);
    await this.becomesAnswering(workload);
    return workload;
  }

  becomesAnswering({ name }: Workload): Promise<true> {
    return becomes(`answers for the names of ${name}`, async () => {
      const found = await this.statusOf(name);
      return found?.names?.state === 'answering';
    });
  }

  /** Of the namespace that the container is in. */
  async statusOf(name: string) {
    const { namespaces } = await this.controller.status();
    return namespaces.find(({ workloads }) => workloads.includes(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#controller?.[Symbol.asyncDispose]();
    this.#upstream.close();
    await this.fixture[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** As an authoritative server has it: the addresses of that family, or no such name. */
function answerTo(bytes: Uint8Array, addresses: readonly string[] | undefined): Uint8Array {
  const { id = 0, questions = [] } = packet.decode(Buffer.from(bytes));
  const [{ name, type } = { name: '', type: 'A' as const }] = questions;
  const found = (addresses ?? []).map((data) =>
    isIP(data) === 4
      ? { type: 'A' as const, name, ttl: 60, data }
      : { type: 'AAAA' as const, name, ttl: 60, data },
  );
  const flags = packet.RECURSION_AVAILABLE | (addresses === undefined ? NO_SUCH_NAME : 0);
  return packet.encode({
    type: 'response',
    id,
    questions,
    flags,
    answers: found.filter((one) => one.type === type),
  });
}

const NO_SUCH_NAME = 3;

export const becomes = (what: string, isSo: () => boolean | Promise<boolean>): Promise<true> =>
  waitFor(async () => (await isSo()) || undefined, { what, interval: 50 });

/**
 * What `nslookup` finds inside a container, at its own resolver or another one. `docker exec` takes ten times as long, and
 * differs in nothing that names depend on.
 */
export async function lookup(
  { pid }: Workload,
  name: string,
  ...server: readonly string[]
): Promise<readonly string[]> {
  const inside = ['--target', `${pid}`, '--net', '--mount', '/bin/busybox'];
  const { stdout } = await execa('nsenter', [...inside, 'nslookup', name, ...server], { reject: false });
  return Array.from(stdout.matchAll(/^Name:.*\nAddress: (\S+)/gm), ([, address = '']) => address).sort();
}

/** Waits until it finds just these: while rules are loaded, or the machine is busy, a question may fail. */
export const finds = (
  workload: Workload,
  name: string,
  addresses: readonly string[],
  ...server: readonly string[]
): Promise<true> => isFound(name, addresses, () => lookup(workload, name, ...server));

/** The same for another program than `nslookup`. */
export const isFound = (
  name: string,
  addresses: readonly string[],
  find: () => Promise<readonly string[]>,
): Promise<true> => {
  const expected = [...addresses].sort().join();
  return becomes(`${expected} to be found for ${name}`, async () => (await find()).join() === expected);
};

/** Datagrams that have reached the network namespace of a container, whether or not a program took them. */
export function datagramsAt({ pid }: Workload): number {
  const text = ['snmp', 'snmp6'].map((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8')).join('\n');
  const [names, values] = Array.from(text.matchAll(/^Udp: (.*)$/gm), ([, line = '']) => line.split(' '));
  const of4 = (name: string) => Number(values?.[names?.indexOf(name) ?? -1]);
  const of6 = (name: string) => Number(new RegExp(`^Udp6${name}\\s+(\\d+)`, 'm').exec(text)?.[1]);
  return of4('InDatagrams') + of4('NoPorts') + of6('InDatagrams') + of6('NoPorts');
}
