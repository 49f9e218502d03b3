/**
 * The testbed of the attempts: containers with Docker's default capabilities, some under rules and one
 * without, and others that record all packets that arrive.
 *
 *     unprotected, restricted, wide, …  ──┬── denied      no rule allows it
 *                                         └── router ──── beyond
 *
 * `restricted` may reach tcp and udp 80 and echo of `router` by IPv4. `wide` may reach all of IPv4, and by IPv6
 * udp 80 of `router` and tcp everywhere. `router` forwards, including packets with a source route.
 */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type Engine, type EngineVersion, ensureEngine } from '../../lab/engine.ts';
import { ensureEscapeImage } from '../../lab/images.ts';
import { type RunningController, startController } from '../support/egresstrator.ts';
import { engineHere } from '../support/engines.ts';
import { putKey, register } from '../support/fixture.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { inside } from '../support/kernel.ts';
import { type Workload, type WorkloadOptions, Workloads } from '../support/workloads.ts';
import { Listener } from './listener.ts';

/** The path of this folder in containers. */
export const TOOLS = '/escape';

export interface Host {
  readonly workload: Workload;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: string;
  readonly mac: string;
}

export type ListenerName = 'denied' | 'router' | 'beyond';

export interface Receivers extends Readonly<Record<ListenerName, Host>> {
  /** The address of this machine on the link, and the port at which it publishes `denied`. */
  readonly gateway: string;
  readonly published: string;
}

/** Only the container `denied` has these addresses, and the attackers' routes lead to it. */
export const LINK_LOCAL = '169.254.7.7';
export const METADATA4 = '169.254.169.254';
export const METADATA6 = 'fd00:ec2::254';

export class Testbed implements AsyncDisposable {
  readonly engine: Engine;
  readonly workloads: Workloads;
  readonly link: string;
  readonly receivers: Receivers;
  readonly listeners: Readonly<Record<ListenerName, Listener>>;
  readonly #consul: Consul;
  readonly #image: string;
  readonly #far: Ranges;

  constructor(parts: Parts) {
    this.engine = parts.engine;
    this.workloads = parts.workloads;
    this.link = parts.link;
    this.receivers = parts.places;
    this.#consul = parts.consul;
    this.#image = parts.image;
    this.#far = parts.far;
    const docker = ['docker', '-H', `unix://${parts.engine.socketPath}`];
    const listener = (name: ListenerName) => new Listener(docker, parts.places[name].workload.id, TOOLS);
    this.listeners = { denied: listener('denied'), router: listener('router'), beyond: listener('beyond') };
  }

  /** Starts a container on the link, with routes to all receivers. */
  async attacker(name: string, options: WorkloadOptions = {}): Promise<Host> {
    const network = options.network ?? this.link;
    const args = [...toolsMount, ...(options.args ?? [])];
    const host = await hostOf(await this.workloads.run(name, { ...options, network, args }));
    if (options.network === undefined) await this.addRoutes(host);
    return host;
  }

  /** Adds the host's routes; a container cannot add them itself. */
  async addRoutes({ workload }: Host): Promise<void> {
    const { router, denied } = this.receivers;
    const ip = (...args: string[]) => inNamespaceOf(workload, 'ip', ...args);
    await ip('route', 'replace', this.#far.ipv4, 'via', router.ipv4);
    await ip('-6', 'route', 'replace', this.#far.ipv6, 'via', router.ipv6);
    for (const address of [LINK_LOCAL, METADATA4]) await ip('route', 'replace', address, 'via', denied.ipv4);
    await ip('-6', 'route', 'replace', METADATA6, 'via', denied.ipv6);
  }

  /** Connects the host directly to `denied` and `router`, without a bridge; all addresses stay the same. */
  async connectDirectly({ workload, ipv4 }: Host): Promise<void> {
    for (const [index, place] of [this.receivers.denied, this.receivers.router].entries()) {
      const [near, far] = [`eth${7 + index}`, `w${workload.pid}`];
      const peer = ['peer', 'name', far, 'netns', `${place.workload.pid}`];
      await inNamespaceOf(workload, 'ip', 'link', 'add', near, 'type', 'veth', ...peer);
      await inNamespaceOf(workload, 'ip', 'link', 'set', near, 'up');
      await inNamespaceOf(place.workload, 'ip', 'link', 'set', far, 'up');
      await inNamespaceOf(workload, 'ip', 'route', 'replace', `${place.ipv4}/32`, 'dev', near);
      await inNamespaceOf(place.workload, 'ip', 'route', 'replace', `${ipv4}/32`, 'dev', far);
      // No host answers neighbour discovery for an address of another link.
      await inNamespaceOf(workload, 'sh', '-c', `echo 0 >/proc/sys/net/ipv6/conf/${near}/disable_ipv6`);
      await inNamespaceOf(workload, 'ip', '-6', 'route', 'replace', `${place.ipv6}/128`, 'dev', near);
      const { mac } = await hostOf(place.workload, far);
      await inNamespaceOf(workload, 'ip', '-6', 'neigh', 'replace', place.ipv6, 'lladdr', mac, 'dev', near);
    }
  }

  putKey(path: string, ...rules: readonly string[]): Promise<void> {
    return putKey({ consul: this.#consul }, `escape/${path}`, ...rules);
  }

  registerService(name: string, address: string): Promise<void> {
    return register({ consul: this.#consul }, { node: name, service: name, address, port: 80 });
  }

  startController(): Promise<RunningController> {
    const source = ['-c', this.#consul.address, '-k', 'escape/', '-i', this.#image];
    return startController({ engine: this.engine, args: [...source, '--loader', 'nsenter'] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of Object.values(this.listeners)) listener.close();
    await this.workloads[Symbol.asyncDispose]();
    await this.#consul.stop();
  }
}

interface Ranges {
  readonly ipv4: string;
  readonly ipv6: string;
}

interface Parts {
  readonly engine: Engine;
  readonly workloads: Workloads;
  readonly consul: Consul;
  readonly image: string;
  readonly link: string;
  readonly far: Ranges;
  readonly places: Receivers;
}

const toolsMount = ['--volume', `${fileURLToPath(new URL('.', import.meta.url))}:${TOOLS}:ro`];

export async function openTestbed(version: EngineVersion): Promise<Testbed> {
  const engine = await ensureEngine(engineHere(version));
  const image = await ensureTestImage(engine);
  const workloads = new Workloads(engine, await ensureEscapeImage(engine.socketPath));
  const consul = await startConsul();
  try {
    const block = `fd00:e9:${randomBytes(2).toString('hex')}`;
    const link = await workloads.network('link', `${block}:1::/64`);
    const far = await workloads.network('far', `${block}:2::/64`);
    const places = await startReceivers(workloads, link, far);
    const ranges = { ipv4: await subnet(workloads, far), ipv6: `${block}:2::/64` };
    const testbed = new Testbed({ engine, workloads, consul, image, link, far: ranges, places });
    await Promise.all(Object.values(testbed.listeners).map((listener) => listener.ready()));
    return testbed;
  } catch (error) {
    await workloads[Symbol.asyncDispose]();
    await consul.stop();
    throw error;
  }
}

async function startReceivers(workloads: Workloads, link: string, far: string): Promise<Receivers> {
  const start = async (name: string, network: string, ...args: string[]) =>
    hostOf(await workloads.run(name, { network, args: [...toolsMount, ...args] }));
  const denied = await start('denied', link, '--publish', '80');
  const router = await start('router', link);
  const beyond = await start('beyond', far);
  await workloads.must('network', 'connect', far, router.workload.id);
  await enableForwarding(router.workload);
  await addExtraAddresses(denied);
  await router.workload.probe.serve([80]);
  // Containers ask this server for names: the other networks of the Engine are unreachable.
  workloads.nameServers.set(link, router.ipv4);
  const published = await workloads.must('port', denied.workload.id, '80/tcp');
  return {
    ...{ denied, router, beyond, gateway: await gateway(workloads, link) },
    published: /:(\d+)$/m.exec(published)?.[1] ?? '',
  };
}

async function addExtraAddresses({ workload }: Host): Promise<void> {
  for (const address of [`${LINK_LOCAL}/32`, `${METADATA4}/32`, `${METADATA6}/128`]) {
    await inNamespaceOf(workload, 'ip', 'address', 'add', address, 'dev', 'eth0');
  }
  await workload.probe.serve([80, 53]);
}

async function enableForwarding(workload: Workload): Promise<void> {
  const everywhere = ['all', 'eth0', 'eth1'];
  const switches = [
    ...everywhere.map((device) => `ipv4/conf/${device}/accept_source_route`),
    ...everywhere.map((device) => `ipv6/conf/${device}/seg6_enabled`),
    ...['ipv4/conf/all/forwarding', 'ipv6/conf/all/forwarding'],
  ];
  const script = switches.map((name) => `echo 1 >/proc/sys/net/${name}`).join('\n');
  await inNamespaceOf(workload, 'sh', '-ec', script);
}

/** Runs a command in the container's network namespace, with this machine's programs and privileges. */
async function inNamespaceOf({ pid }: Workload, ...command: readonly string[]): Promise<string> {
  const [file = '', ...rest] = [...inside(pid), ...command];
  return (await execa(file, rest, { stdin: 'ignore' })).stdout;
}

interface Interface {
  readonly ifname: string;
  readonly address: string;
  readonly addr_info: readonly { readonly family: string; readonly scope: string; readonly local: string }[];
}

export async function hostOf(workload: Workload, device = 'eth0'): Promise<Host> {
  const interfaces: readonly Interface[] = JSON.parse(await inNamespaceOf(workload, 'ip', '-j', 'address'));
  const found = interfaces.find(({ ifname }) => ifname === device);
  const address = (family: string, scope: string) =>
    found?.addr_info.find((one) => one.family === family && one.scope === scope)?.local ?? '';
  return {
    ...{ workload, mac: found?.address ?? '' },
    ipv4: address('inet', 'global'),
    ipv6: address('inet6', 'global'),
    linkLocal: address('inet6', 'link'),
  };
}

const ipam = async (workloads: Workloads, network: string, field: string): Promise<string> => {
  const format = `{{range .IPAM.Config}}{{.${field}}} {{end}}`;
  const words = (await workloads.must('network', 'inspect', '--format', format, network)).split(' ');
  return words.find((word) => /^[\d./]+$/.test(word)) ?? '';
};
const subnet = (workloads: Workloads, network: string) => ipam(workloads, network, 'Subnet');
const gateway = (workloads: Workloads, network: string) => ipam(workloads, network, 'Gateway');
