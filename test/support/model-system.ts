/**
 * The real system for the naive model: does each operation with a real Engine, Consul, controller and
 * kernel, and then compares every namespace with the model.
 */
import { mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { BlockList, isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Consul, startConsul } from '../../lab/consul.ts';
import type { EngineVersion } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { assertConsistent } from './agreement.ts';
import { RunningController } from './egresstrator.ts';
import { type Fixture, ipv4, ipv6, openFixture } from './fixture.ts';
import { Guard } from './guard.ts';
import { inside } from './kernel.ts';
import {
  type ConsulState,
  FORBIDDEN,
  type Host,
  type Instance,
  KEYS,
  mayReach,
  type Operation,
  POINTS,
  type Point,
  SLOTS,
  type Slot,
  textOf,
} from './model.ts';
import type { Target } from './probe.ts';
import { Relay } from './relay.ts';
import type { Workload } from './workloads.ts';

/** Milliseconds until all is right; most of it is for a machine that does other things. */
const REST = 30_000;
/** Asked by real connections, where the server listens. */
const TRIED: readonly Point[] = [
  { host: 'server4', protocol: 'tcp', port: 80 },
  { host: 'server4', protocol: 'tcp', port: 81 },
  { host: 'server4', protocol: 'udp', port: 81 },
  { host: 'other4', protocol: 'tcp', port: 81 },
  { host: 'server6', protocol: 'tcp', port: 80 },
  { host: 'server6', protocol: 'udp', port: 80 },
];

interface Resident {
  readonly grants: readonly string[];
  /** It was started in the namespace of another, and has no interface when that one is gone. */
  readonly shares: boolean;
  workload: Workload;
}

export class ModelSystem implements AsyncDisposable {
  readonly fixture: Fixture;
  readonly addresses: Readonly<Record<Host, string>>;
  controller: RunningController;
  readonly #consul: Consul;
  readonly #relays: { readonly consul: Relay; readonly engine: Relay };
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #residents = new Map<Slot | 'anchor', Resident>();
  readonly #keys = new Map<string, readonly number[]>();
  readonly #services = new Map<string, Instance>();
  /** What the controller knows, while it is cut off from Consul. */
  #frozen: ConsulState | undefined;
  #guard: Guard | undefined;

  private constructor(fixture: Fixture, consul: Consul, folder: string, relays: ModelSystem['relays']) {
    this.fixture = fixture;
    this.#consul = consul;
    this.#folder = folder;
    this.#relays = relays;
    this.addresses = addressesOf(fixture);
    const consulAddress = relays.consul.address;
    const loading = ['-i', fixture.image, '--drift-interval', '1', '--register', 'none'];
    this.#args = ['-c', consulAddress, '-k', 'model/', ...loading];
    this.controller = this.#startController();
  }

  get relays(): { readonly consul: Relay; readonly engine: Relay } {
    return this.#relays;
  }

  static async open(version: EngineVersion): Promise<ModelSystem> {
    const folder = mkdtempSync(join(tmpdir(), 'egt-model-'));
    const fixture = await openFixture(version);
    const consul = await startConsul({ dataDir: join(folder, 'consul') });
    const { hostname, port } = new URL(consul.address);
    const relays = {
      consul: await Relay.open({ to: { host: hostname, port: Number(port) } }),
      engine: await Relay.open({ to: { path: fixture.engine.socketPath }, at: join(folder, 'docker.sock') }),
    };
    const system = new ModelSystem(fixture, consul, folder, relays);
    await system.controller.ready();
    await system.#start('anchor', KEYS);
    await system.rest();
    const denied = [system.#target(FORBIDDEN)];
    const anchor = system.#residents.get('anchor');
    if (anchor !== undefined) system.#guard = new Guard([{ workload: anchor.workload, denied }]);
    return system;
  }

  /** Does them one after another, without a pause. */
  async perform(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) await this.#perform(operation);
  }

  /**
   * Waits until every namespace is as the model says, what can be reached from it is too, and the controller
   * says the same of itself; throws with what differs if it does not come true. A key that is written and
   * deleted at once leaves the kernel as it is for a moment, then holds for a moment, and is gone: so what
   * could be reached in between is asked again.
   */
  async rest(): Promise<void> {
    let differences: readonly string[] = [];
    const equal = async () => {
      differences = await this.#differences();
      if (differences.length === 0) differences = await this.#wrongConnections();
      return differences.length === 0;
    };
    await waitFor(equal, { what: 'rest', timeout: REST, interval: 100 }).catch((error) => {
      throw new Error([error, ...differences, this.controller.output.slice(-4_000)].join('\n'));
    });
    await assertConsistent(this.controller, this.fixture.workloads);
  }

  /** Ends the guard and tells what it saw. */
  async breaches(): Promise<readonly string[]> {
    return (await this.#guard?.stop())?.breaches ?? [];
  }

  /** As at the start: no keys, no services, all connected. */
  async reset(): Promise<void> {
    await this.perform([{ kind: 'heal' }, { kind: 'delete all' }]);
    await this.perform(SLOTS.map((slot): Operation => ({ kind: 'stop', slot })));
    for (const node of [...this.#services.keys()]) await this.#perform({ kind: 'deregister', node });
    await this.rest();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guard?.stop();
    await this.controller[Symbol.asyncDispose]();
    await this.fixture[Symbol.asyncDispose]();
    for (const relay of Object.values(this.#relays)) await relay[Symbol.asyncDispose]();
    await this.#consul.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startController(): RunningController {
    const engine = { socketPath: join(this.#folder, 'docker.sock') };
    // So that a soak can have it collect its garbage.
    const environment = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };
    return new RunningController({ engine, folder: this.#folder, args: this.#args, environment });
  }

  async #perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'put':
        this.#keys.set(operation.key, operation.lines);
        return this.#call('PUT', `/v1/kv/model/${operation.key}`, textOf(operation.lines, this.addresses));
      case 'delete':
        this.#keys.delete(operation.key);
        return this.#call('DELETE', `/v1/kv/model/${operation.key}`);
      case 'delete all':
        this.#keys.clear();
        return this.#call('DELETE', '/v1/kv/model/?recurse');
      case 'register':
        return this.#register(operation.instance);
      case 'deregister':
        this.#services.delete(operation.node);
        return this.#call('PUT', '/v1/catalog/deregister', { Node: operation.node });
      case 'start':
        return this.#start(operation.slot, operation.grants, operation.shares);
      case 'stop':
        return this.#stop(operation.slot);
      case 'restart':
        return this.#restart(operation.slot);
      case 'alter':
        return this.#alter(operation.slot);
      default:
        return this.#fault(operation.kind);
    }
  }

  async #fault(kind: Exclude<Operation['kind'], 'put' | 'start'>): Promise<void> {
    if (kind === 'partition') {
      this.#frozen ??= { keys: new Map(this.#keys), services: new Map(this.#services) };
      this.#relays.consul.cut();
    }
    if (kind === 'heal') {
      this.#frozen = undefined;
      this.#relays.consul.heal();
    }
    if (kind === 'cut consul' && this.#frozen === undefined) this.#relays.consul.cut({ again: true });
    if (kind === 'cut engine') this.#relays.engine.cut({ again: true });
    if (kind === 'kill controller') {
      await this.controller.stop('SIGKILL');
      this.controller = this.#startController();
    }
    if (kind === 'kill consul') {
      await this.#consul.kill();
      await this.#consul.start();
    }
  }

  #register(instance: Instance): Promise<void> {
    const { node, service, tag, host, port } = instance;
    this.#services.set(node, instance);
    const Service = { ID: node, Service: service, Tags: [tag], Address: this.addresses[host], Port: port };
    return this.#call('PUT', '/v1/catalog/register', { Node: node, Address: '127.0.0.1', Service });
  }

  async #start(slot: Slot | 'anchor', grants: readonly string[], shares?: Slot): Promise<void> {
    const owner = shares === undefined ? undefined : this.#residents.get(shares);
    if (slot !== 'anchor') await this.#stop(slot);
    const network = owner === undefined ? this.fixture.network : `container:${owner.workload.id}`;
    const workload = await this.fixture.workloads.run(slot, { acl: grants.join(), network });
    this.#residents.set(slot, { grants, shares: owner !== undefined, workload });
  }

  async #stop(slot: Slot): Promise<void> {
    const resident = this.#residents.get(slot);
    this.#residents.delete(slot);
    if (resident !== undefined) await this.fixture.workloads.remove(resident.workload);
  }

  /** One whose network's owner is gone can't be started again, and is removed. */
  async #restart(slot: Slot): Promise<void> {
    const resident = this.#residents.get(slot);
    if (resident === undefined) return;
    await resident.workload.probe.close();
    const { code } = await this.fixture.workloads.docker('restart', '--time', '0', resident.workload.id);
    if (code === 0) resident.workload = await this.fixture.workloads.find(slot);
    else await this.#stop(slot);
  }

  /** Opens everything by hand, which is found and undone. */
  async #alter(slot: Slot): Promise<void> {
    const resident = this.#residents.get(slot);
    if (resident === undefined) return;
    const nft = ['nft', 'delete', 'table', 'inet', 'egresstrator_egress'];
    await execa('nsenter', [...inside(resident.workload.pid).slice(1), ...nft], { reject: false });
  }

  async #call(method: string, path: string, body?: unknown): Promise<void> {
    const { status } = await this.#consul.call(method, path, body);
    if (status !== 200) throw new Error(`Consul answered ${status}`);
  }

  get #known(): ConsulState {
    return this.#frozen ?? { keys: this.#keys, services: this.#services };
  }

  /** All containers in one namespace may reach the union of what they ask for. */
  #grantsIn(namespace: string): readonly string[] {
    const inIt = [...this.#residents.values()].filter(({ workload }) => namespaceOf(workload) === namespace);
    return inIt.flatMap(({ grants }) => grants);
  }

  #isOrphan(workload: Workload): boolean {
    const namespace = namespaceOf(workload);
    const owners = [...this.#residents.values()].filter(({ shares }) => !shares);
    return !owners.some((one) => namespaceOf(one.workload) === namespace);
  }

  async #differences(): Promise<readonly string[]> {
    const each = [...this.#residents.values()].map(async ({ workload }) => {
      const allowed = await this.#allowedInKernel(workload);
      if (allowed === undefined) return [`${workload.name} has no rules`];
      const grants = this.#grantsIn(namespaceOf(workload));
      const wrong = POINTS.filter((point) => allowed(point) !== mayReach(grants, this.#known, point));
      return wrong.map((point) => `${workload.name}, kernel: ${JSON.stringify(point)} is ${allowed(point)}`);
    });
    return (await Promise.all(each)).flat();
  }

  async #wrongConnections(): Promise<readonly string[]> {
    const wrong: string[] = [];
    for (const { workload } of this.#residents.values()) {
      const grants = this.#grantsIn(namespaceOf(workload));
      const outcomes = TRIED.map(async (point) => {
        const { outcome } = await workload.probe.reach(this.#target(point), 4_000);
        const expected = mayReach(grants, this.#known, point) ? 'ok' : 'refused';
        const fits = outcome === expected || (outcome === 'unreachable' && this.#isOrphan(workload));
        if (!fits) wrong.push(`${workload.name}, connection: ${JSON.stringify(point)} is ${outcome}`);
      });
      await Promise.all(outcomes);
    }
    return wrong;
  }

  #target({ host, protocol, port }: Point): Target {
    return { protocol, address: this.addresses[host], port };
  }

  /** What the sets in the kernel allow; undefined where there is no table of ours. */
  async #allowedInKernel({ pid }: Workload): Promise<((point: Point) => boolean) | undefined> {
    const list = ['nft', '-n', '-j', 'list', 'table', 'inet', 'egresstrator_egress'];
    const { stdout, exitCode } = await execa('nsenter', [...inside(pid).slice(1), ...list], {
      reject: false,
    });
    if (exitCode !== 0) return undefined;
    const { nftables }: { readonly nftables: readonly { readonly set?: NftSet }[] } = JSON.parse(stdout);
    const sets = nftables.flatMap(({ set }) => (set?.name.match(/^allowed[46]/) ? set : []));
    const elements = sets.flatMap(({ elem = [] }) => elem.map(({ concat }) => concat));
    return (point) => elements.some((element) => holds(element, this.#target(point)));
  }
}

type NftRange = { readonly range: readonly [string | number, string | number] };
type NftValue =
  | string
  | number
  | NftRange
  | { readonly prefix: { readonly addr: string; readonly len: number } };
interface NftSet {
  readonly name: string;
  readonly elem?: readonly { readonly concat: readonly [NftValue, string | number, NftValue] }[];
}

const PROTOCOLS = { tcp: ['tcp', 6], udp: ['udp', 17] } as const;

function holds(
  [where, protocol, ports]: readonly [NftValue, string | number, NftValue],
  target: Target,
): boolean {
  const names: readonly (string | number)[] = PROTOCOLS[target.protocol];
  return names.includes(protocol) && holdsPort(ports, target.port) && holdsAddress(where, target.address);
}

function holdsPort(ports: NftValue, port: number): boolean {
  if (typeof ports !== 'object') return Number(ports) === port;
  return 'range' in ports && Number(ports.range[0]) <= port && port <= Number(ports.range[1]);
}

function holdsAddress(where: NftValue, address: string): boolean {
  const list = new BlockList();
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const first =
    typeof where !== 'object' ? String(where) : 'range' in where ? String(where.range[0]) : where.prefix.addr;
  if (isIPv6(first) !== isIPv6(address)) return false;
  if (typeof where !== 'object') list.addAddress(first, family);
  else if ('range' in where) list.addRange(first, String(where.range[1]), family);
  else list.addSubnet(first, where.prefix.len, family);
  return list.check(address, family);
}

function addressesOf({ server, other, network }: Fixture): Readonly<Record<Host, string>> {
  const server4 = ipv4(server, network);
  return {
    server4,
    other4: ipv4(other, network),
    stranger4: server4.replace(/\d+$/, '250'),
    server6: ipv6(server, network),
    other6: ipv6(other, network),
  };
}

const namespaceOf = ({ pid }: Workload): string => readlinkSync(`/proc/${pid}/ns/net`);
