/**
 * The network namespace of an engine.
 *
 * When a dockerd starts, it flushes the iptables chains of every other dockerd in the same namespace. So
 * engines that run side by side need their own namespaces: only the `host` engine runs in the machine's own.
 */
import { addingBridge } from '../bridge.ts';
import { attempt, run } from '../run.ts';
import type { AddressBlock } from './address-block.ts';

/** `machine`: the machine's own namespace; `own`: a namespace for this engine alone. */
export type NetworkKind = 'machine' | 'own';

export interface EngineNetwork {
  /** The prefix of a command that runs in the namespace of dockerd and `--network host` containers. */
  readonly prefix: readonly string[];
  /** The address at which all containers, also with `--network host`, reach programs that listen on all addresses here. */
  readonly machineAddress: string;
  /** The address at which this machine reaches the ports that containers publish. */
  readonly publishedAddress: string;
  readonly daemonOptions: readonly string[];
  /** Idempotent. */
  prepare(): Promise<void>;
  dispose(): Promise<void>;
}

const networks: Record<NetworkKind, (block: AddressBlock) => EngineNetwork> = {
  machine: (block) => ({
    prefix: [],
    machineAddress: withoutPrefix(block.bridge),
    publishedAddress: '127.0.0.1',
    daemonOptions: ['--bridge', block.name],
    prepare: () => ensureBridge(block),
    dispose: async () => void (await attempt('ip', ['link', 'delete', block.name])),
  }),
  own: (block) => ({
    prefix: ['nsenter', `--net=/run/netns/${block.name}`],
    machineAddress: block.machine,
    publishedAddress: block.engine,
    daemonOptions: ['--bip', block.bridge],
    prepare: () => ensureNamespace(block),
    dispose: () => removeNamespace(block),
  }),
};

export function engineNetwork(kind: NetworkKind, block: AddressBlock): EngineNetwork {
  return networks[kind](block);
}

/** docker0 may belong to another dockerd. A bridge with another name must exist before dockerd starts. */
async function ensureBridge({ name, bridge }: AddressBlock): Promise<void> {
  await attempt('ip', addingBridge(name));
  await run('ip', ['address', 'replace', bridge, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
}

async function ensureNamespace(block: AddressBlock): Promise<void> {
  const { name, machine, engine, all } = block;
  await attempt('ip', ['netns', 'add', name]);
  await attempt('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'uplink', 'netns', name]);
  await run('ip', ['address', 'replace', `${machine}/30`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  await run('ip', ['-n', name, 'address', 'replace', `${engine}/30`, 'dev', 'uplink']);
  await run('ip', ['-n', name, 'link', 'set', 'uplink', 'up']);
  await run('ip', ['-n', name, 'route', 'replace', 'default', 'via', machine]);
  await run('ip', ['route', 'replace', all, 'via', engine, 'dev', name]);
  await letTheMachineIn(name);
  await run('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  for (const rule of forwardingRules(block)) await ensureRule(rule);
}

async function removeNamespace(block: AddressBlock): Promise<void> {
  for (const rule of forwardingRules(block)) await attempt('iptables', iptables('-D', rule));
  await attempt('ip', ['netns', 'delete', block.name]);
  await attempt('ip', ['link', 'delete', block.name]);
}

/** dockerd drops forwarded packets, but leaves the chain DOCKER-USER to others. */
async function letTheMachineIn(name: string): Promise<void> {
  const inside = (...args: string[]) =>
    attempt('nsenter', [`--net=/run/netns/${name}`, 'iptables', '-w', ...args]);
  await inside('-N', 'DOCKER-USER');
  await inside('-D', 'DOCKER-USER', '-i', 'uplink', '-j', 'ACCEPT');
  await inside('-I', 'DOCKER-USER', '-i', 'uplink', '-j', 'ACCEPT');
}

type Rule = readonly [chain: string, ...match: string[]];

/** Rules on the machine that image builds need to reach package archives. */
function forwardingRules({ name, all }: AddressBlock): readonly Rule[] {
  const comment = ['-m', 'comment', '--comment', 'egresstrator-lab'];
  const answers = ['-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED'];
  return [
    ['FORWARD', '-i', name, ...comment, '-j', 'ACCEPT'],
    ['FORWARD', '-o', name, ...answers, ...comment, '-j', 'ACCEPT'],
    ['POSTROUTING', '-s', all, '!', '-o', name, ...comment, '-j', 'MASQUERADE'],
  ];
}

async function ensureRule(rule: Rule): Promise<void> {
  const isThere = await attempt('iptables', iptables('-C', rule));
  if (!isThere) await run('iptables', iptables('-I', rule));
}

function iptables(action: '-C' | '-I' | '-D', rule: Rule): string[] {
  const table = rule[0] === 'POSTROUTING' ? 'nat' : 'filter';
  return ['-w', '-t', table, action, ...rule];
}

function withoutPrefix(address: string): string {
  return address.replace(/\/.*/, '');
}
