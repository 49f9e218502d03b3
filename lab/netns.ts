/**
 * Bare network namespaces of this machine, joined on one link, for what needs no containers: whether
 * a rule set admits a packet, and how fast.
 */
import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { ensureCommands, requireRoot } from './apt.ts';
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

function namespace(name: string, index: number): Namespace {
  const prefix = ['nsenter', `--net=/run/netns/${name}`];
  const addresses = { ipv4: `10.199.0.${index}`, ipv6: `fd00:e9:99::${index}` };
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

async function addAddresses({ name, ipv4, ipv6 }: Namespace): Promise<void> {
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
