/**
 * The fixture of tests of the whole program: an Engine, a Consul, a network of both families, and
 * containers to connect to. Ports 80 and 81 of `server` and `other` echo TCP and UDP.
 */
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type Engine, type EngineVersion, ensureEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from './egresstrator.ts';
import { engineHere } from './engines.ts';
import { ensureTestImage } from './helper-image.ts';
import { connects, type Workload, Workloads } from './workloads.ts';

export const PORTS = [80, 81] as const;

export interface Fixture extends AsyncDisposable {
  readonly engine: Engine;
  readonly consul: Consul;
  readonly workloads: Workloads;
  /** For helpers. */
  readonly image: string;
  /** A user-defined network with IPv6; all of these containers are on it and on the default bridge. */
  readonly network: string;
  readonly server: Workload;
  readonly other: Workload;
  /** Answers every question for a name with the server's address. */
  readonly names: Workload;
}

export async function openFixture(version: EngineVersion): Promise<Fixture> {
  const engine = await ensureEngine(engineHere(version));
  const image = await ensureTestImage(engine);
  const workloads = await Workloads.on(engine);
  const consul = await startConsul();
  const dispose = async () => {
    await workloads[Symbol.asyncDispose]();
    await consul.stop();
  };
  try {
    const network = await workloads.network('net', 'fd00:e9:30::/64');
    const [server, other, names] = await Promise.all(
      ['server', 'other', 'names'].map((name) => onBoth(workloads, name, network)),
    );
    if (!server || !other || !names) throw new Error('too few containers');
    await Promise.all([server, other].map(({ probe }) => probe.serve(PORTS)));
    await names.probe.serveNames(ipv4(server));
    for (const each of ['bridge', network]) workloads.nameServers.set(each, ipv4(names, each));
    const fixture = { engine, consul, workloads, image, network, server, other, names };
    return { ...fixture, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function onBoth(workloads: Workloads, name: string, network: string): Promise<Workload> {
  const id = await workloads.start(name, { network });
  await workloads.must('network', 'connect', 'bridge', id);
  return workloads.find(name);
}

export const ipv4 = ({ addresses }: Workload, network = 'bridge'): string => addresses[network]?.ipv4 ?? '';
export const ipv6 = ({ addresses }: Workload, network: string): string => addresses[network]?.ipv6 ?? '';

/** A controller of this fixture. `kvPath` ends in a slash; `args` come last, so that they win. */
export const control = (
  { engine, consul, image }: Fixture,
  kvPath: string,
  args: readonly string[] = [],
  folder?: string,
): Promise<RunningController> =>
  startController({
    engine,
    args: ['-c', consul.address, '-k', kvPath, '-i', image, ...args],
    ...(folder === undefined ? {} : { folder }),
  });

export async function putKey(
  { consul }: Pick<Fixture, 'consul'>,
  path: string,
  ...rules: readonly string[]
): Promise<void> {
  const { status } = await consul.call('PUT', `/v1/kv/${path}`, rules.join('\n'));
  if (status !== 200) throw new Error(`Consul answered ${status}`);
}

export interface Registration {
  readonly node: string;
  readonly service: string;
  readonly tags?: readonly string[];
  readonly address: string;
  readonly port: number;
}

export async function register({ consul }: Pick<Fixture, 'consul'>, instance: Registration): Promise<void> {
  const { node, service, tags = [], address, port } = instance;
  const body = {
    ...{ Node: node, Address: '127.0.0.1' },
    Service: { ID: `${service}-${node}`, Service: service, Tags: tags, Address: address, Port: port },
  };
  const { status } = await consul.call('PUT', '/v1/catalog/register', body);
  if (status !== 200) throw new Error(`Consul answered ${status}`);
}

export const deregister = ({ consul }: Pick<Fixture, 'consul'>, node: string): Promise<unknown> =>
  consul.call('PUT', '/v1/catalog/deregister', { Node: node });

/** Waits until TCP to the address has this result; returns the milliseconds that it took. */
export async function becomes(
  workload: Workload,
  address: string,
  port: number,
  outcome: 'ok' | 'refused',
): Promise<number> {
  const from = performance.now();
  const what = `${workload.name} to find ${address}:${port} ${outcome}`;
  const look = async () => (await connects(workload, address, port)) === outcome;
  await waitFor(look, { what, timeout: 60_000, interval: 20 });
  return performance.now() - from;
}

/** Returns the median, and prints all values. */
export function summary(what: string, milliseconds: readonly number[]): number {
  const sorted = milliseconds.map(Math.round).sort((one, another) => one - another);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  process.stdout.write(`measured: ${what}: ${middle} ms (${sorted.join(', ')})\n`);
  return middle;
}
