/**
 * Bare network namespaces of this machine, joined on one link, for what needs no containers: whether
 * a rule set admits a packet, and how fast.
 */
import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { ensureCommands, requireRoot } from './apt.ts';
import { addingBridge } from './bridge.ts';
import { searchPath } from './paths.ts';
import { identify } from './process.ts';
import { attempt, run } from './run.ts';

export interface Namespace {
  readonly name: string;
  readonly device: string;
  /** Without prefix length: /24 and /64 are on the link. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** Goes before a command that is to run inside. */
  readonly prefix: readonly string[];
  /** Runs a command inside and returns its output; a non-zero exit is an error unless `reject: false`. */
  run(command: string, args?: readonly string[], options?: RunOptions): Promise<RunResult>;
}

export interface RunOptions {
  readonly input?: string;
  readonly reject?: boolean;
  /** Milliseconds; default 30 000. */
  readonly timeout?: number;
}

export interface RunResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NamespaceSet {
  readonly namespaces: readonly Namespace[];
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const device = 'eth0';

/** A host that routes between its bridges, as an Engine's does, and a caller outside. */
export interface RoutingHost {
  readonly host: Namespace;
  readonly outside: Namespace;
  /** By `<bridge><number>`: `a1`, `a2`, `b1`. */
  readonly containers: Readonly<Record<'a1' | 'a2' | 'b1', Namespace>>;
  dispose(): Promise<void>;
}

/**
 * The bridges are `br-a` (172.29.1.0/24, 2001:db8:a::/64) with two containers, and `br-b` (172.29.2.0/24,
 * 2001:db8:b::/64) with one. The host is ::1 and .1 on each, and 198.51.100.1 and 2001:db8:f::1 on `eth0`, where the
 * caller outside is 198.51.100.9 and 2001:db8:f::9.
 */
export async function createRoutingHost(): Promise<RoutingHost> {
  requireRoot('make network namespaces');
  await ensureCommands({ ip: 'iproute2', nsenter: 'util-linux', nft: 'nftables' });
  await removeLeftovers();
  const prefix = `egl-${process.pid}-${randomBytes(2).toString('hex')}`;
  const at = (name: string, ipv4: string, ipv6: string) => namespaceAt(`${prefix}-${name}`, { ipv4, ipv6 });
  const host = at('host', '198.51.100.1', '2001:db8:f::1');
  const outside = at('out', '198.51.100.9', '2001:db8:f::9');
  const containers = {
    a1: at('a1', '172.29.1.2', '2001:db8:a::2'),
    a2: at('a2', '172.29.1.3', '2001:db8:a::3'),
    b1: at('b1', '172.29.2.2', '2001:db8:b::2'),
  };
  const all = [host, outside, ...Object.values(containers)];
  const dispose = () => removeNamespaces(all.map(({ name }) => name));
  try {
    for (const { name } of all) await addNamespace(name);
    await joinPair([host, outside]);
    for (const one of [host, outside]) await addAddresses(one);
    await routeBy(outside, host);
    await addBridge(host, 'a', [containers.a1, containers.a2]);
    await addBridge(host, 'b', [containers.b1]);
    await host.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { host, outside, containers, dispose };
}

/** A caller outside of an Engine that runs in a namespace of its own. */
export interface Caller {
  readonly namespace: Namespace;
  /** The Engine's host, as the caller reaches it. */
  readonly host: Pick<Namespace, 'ipv4' | 'ipv6'>;
  dispose(): Promise<void>;
}

/**
 * It has a link of its own to the Engine's host, by which it reaches everything there directly. `name`: the host's namespace
 * in /run/netns. The link goes with the caller.
 */
export async function createCaller(name: string): Promise<Caller> {
  requireRoot('make network namespaces');
  await removeLeftovers();
  const host = { name, device: 'caller', ipv4: '198.51.100.1', ipv6: '2001:db8:f::1' };
  const namespace = namespaceAt(`egl-${process.pid}-${randomBytes(2).toString('hex')}-out`, {
    ...{ ipv4: '198.51.100.9', ipv6: '2001:db8:f::9' },
  });
  await addNamespace(namespace.name);
  const peer = ['peer', 'name', device, 'netns', namespace.name];
  await ip('-n', name, 'link', 'add', host.device, 'type', 'veth', ...peer);
  for (const end of [host, namespace]) await addAddresses(end);
  await routeBy(namespace, host);
  return { namespace, host, dispose: () => removeNamespaces([namespace.name]) };
}

async function addBridge(host: Namespace, letter: 'a' | 'b', members: readonly Namespace[]): Promise<void> {
  const bridge = `br-${letter}`;
  const gateway = { ipv4: `172.29.${letter === 'a' ? 1 : 2}.1`, ipv6: `2001:db8:${letter}::1` };
  await ip('-n', host.name, ...addingBridge(bridge));
  await addAddresses({ ...host, ...gateway, device: bridge });
  for (const [index, member] of members.entries()) {
    const port = `${bridge}-${index + 1}`;
    await ip(
      '-n',
      host.name,
      'link',
      'add',
      port,
      'type',
      'veth',
      'peer',
      'name',
      device,
      'netns',
      member.name,
    );
    await ip('-n', host.name, 'link', 'set', port, 'master', bridge, 'up');
    await addAddresses(member);
    await routeBy(member, gateway);
  }
}

async function routeBy({ name }: Namespace, gateway: Pick<Namespace, 'ipv4' | 'ipv6'>): Promise<void> {
  await ip('-n', name, 'route', 'add', 'default', 'via', gateway.ipv4);
  await ip('-n', name, '-6', 'route', 'add', 'default', 'via', gateway.ipv6);
}

/** Two namespaces share a veth pair; more of them hang on a bridge in a namespace of its own. */
export async function createNamespaces(count = 2): Promise<NamespaceSet> {
  requireRoot('make network namespaces');
  await ensureCommands({ ip: 'iproute2', nsenter: 'util-linux', nft: 'nftables', iptables: 'iptables' });
  await removeLeftovers();
  const prefix = `egl-${process.pid}-${randomBytes(2).toString('hex')}`;
  const namespaces = Array.from({ length: count }, (_, index) =>
    namespace(`${prefix}-${index + 1}`, index + 1),
  );
  const hub = `${prefix}-hub`;
  const names = [...namespaces.map(({ name }) => name), hub];
  const dispose = () => removeNamespaces(names);
  try {
    for (const name of names) await addNamespace(name);
    await (count === 2 ? joinPair(namespaces) : joinByBridge(namespaces, hub));
    for (const one of namespaces) await addAddresses(one);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { namespaces, dispose, [Symbol.asyncDispose]: dispose };
}

const namespace = (name: string, index: number): Namespace =>
  namespaceAt(name, { ipv4: `10.199.0.${index}`, ipv6: `fd00:e9:99::${index}` });

function namespaceAt(name: string, addresses: Pick<Namespace, 'ipv4' | 'ipv6'>): Namespace {
  const prefix = ['nsenter', `--net=/run/netns/${name}`];
  return { name, device, ...addresses, prefix, run: (...command) => runWith(prefix, ...command) };
}

async function runWith(
  prefix: readonly string[],
  command: string,
  args: readonly string[] = [],
  { input, reject = true, timeout = 30_000 }: RunOptions = {},
): Promise<RunResult> {
  const [file = command, ...rest] = [...prefix, command, ...args];
  const stdin = input === undefined ? { stdin: 'ignore' as const } : { input };
  const result = await execa(file, rest, { ...stdin, reject, timeout, env: { PATH: searchPath() } });
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

async function addNamespace(name: string): Promise<void> {
  await ip('netns', 'add', name);
  // Until duplicate address detection ends, a host does not ask for its neighbours from its own link-local address.
  await ip('netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.accept_dad=0');
  await ip('-n', name, 'link', 'set', 'lo', 'up');
}

async function joinPair([left, right]: readonly Namespace[]): Promise<void> {
  if (left === undefined || right === undefined) return;
  const peer = ['peer', 'name', device, 'netns', right.name];
  await ip('-n', left.name, 'link', 'add', device, 'type', 'veth', ...peer);
}

async function joinByBridge(namespaces: readonly Namespace[], hub: string): Promise<void> {
  await ip('-n', hub, 'link', 'add', 'bridge', 'type', 'bridge');
  await ip('-n', hub, 'link', 'set', 'bridge', 'up');
  for (const [index, { name }] of namespaces.entries()) {
    const port = `port${index + 1}`;
    await ip('-n', hub, 'link', 'add', port, 'type', 'veth', 'peer', 'name', device, 'netns', name);
    await ip('-n', hub, 'link', 'set', port, 'master', 'bridge', 'up');
  }
}

async function addAddresses({
  name,
  device,
  ipv4,
  ipv6,
}: Pick<Namespace, 'name' | 'device' | 'ipv4' | 'ipv6'>): Promise<void> {
  await ip('-n', name, 'link', 'set', device, 'up');
  await ip('-n', name, 'address', 'add', `${ipv4}/24`, 'dev', device);
  // Without duplicate address detection the address serves at once.
  await ip('-n', name, 'address', 'add', `${ipv6}/64`, 'dev', device, 'nodad');
}

/** Those of processes that ended without disposing. */
async function removeLeftovers(): Promise<void> {
  const list = await run('ip', ['netns', 'list']);
  const names = list.split('\n').map((line) => line.split(' ')[0] ?? '');
  await removeNamespaces(
    names.filter((name) => identify(Number(/^egl-(\d+)-/.exec(name)?.[1] ?? 1)) === undefined),
  );
}

async function removeNamespaces(names: readonly string[]): Promise<void> {
  for (const name of names) {
    await attempt('ip', ['netns', 'delete', name]);
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args);
}
