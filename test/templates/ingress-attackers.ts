/**
 * A container with ingress rules, programs at a neighbour and outside that send what `test/escape/attack.py` can, and the
 * counters of packets that the container's kernel gave to a protocol: with these nothing is missed for want of a program
 * that listens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import type { Namespace } from '../../lab/netns.ts';
import type { IngressTemplate } from '../../src/features/ingress/render.ts';
import { loadIngressTemplate, renderIngress } from '../../src/features/ingress/render.ts';
import { netns } from './fixture.ts';
import { type HostFixture, PORT, useHost } from './host-fixture.ts';
import type { Address, Places, Step } from './ingress-attempts.ts';
import { ruleSet } from './rules.ts';

const ATTACK = fileURLToPath(new URL('../escape/attack.py', import.meta.url));
const SENDERS = ['neighbour', 'outside', 'inside'] as const;
export type Sender = (typeof SENDERS)[number];

export interface AttackFixture extends HostFixture {
  /** `inside`: the guarded container itself. */
  readonly attack: (from: Sender, step: Step) => Promise<string>;
  readonly placesOf: (from: Sender) => Places;
  /** Packets that the guarded container's kernel gave to a protocol, without those of neighbour discovery. */
  readonly delivered: () => Promise<number>;
  readonly admit: (lines: readonly string[], template?: IngressTemplate) => Promise<void>;
}

/** For the tests of one file. The guarded container is `a1`, the neighbour `a2`, and `b1` a friend of it. */
export async function useAttackers(): Promise<AttackFixture> {
  await ensureCommands({ python3: 'python3', conntrack: 'conntrack' });
  const fixture = await useHost();
  const { a1, a2, b1 } = fixture.containers;
  const namespaces = { neighbour: a2, outside: fixture.outside, inside: a1 };
  const programs = { neighbour: start(a2), outside: start(fixture.outside), inside: start(a1) };
  afterAll(() => Promise.all(Object.values(programs).map(({ end }) => end())));
  const [target, friend, neighbour, outside] = await Promise.all(
    [a1, b1, a2, fixture.outside].map((one) => addressOf(one)),
  );
  const gateway = await addressOf(fixture.host, 'br-a');
  if (!target || !friend || !neighbour || !outside) throw new Error('too few');
  const selves = { neighbour, outside, inside: target };
  return {
    ...fixture,
    attack: (from, { method, options }) => {
      const src = String(options.dst).includes(':') ? namespaces[from].ipv6 : namespaces[from].ipv4;
      return programs[from].attempt(method, { src, link: namespaces[from].device, ...options });
    },
    placesOf: (from) => ({ target, friend, gateway, port: PORT, self: selves[from] }),
    delivered: () => delivered(programs.inside.child.pid),
    admit: async (lines, template = loadIngressTemplate()) => {
      const { text } = renderIngress(template, ruleSet(...lines), 'enforce');
      const { exitCode, stderr } = await netns(a1, 'load ingress', text);
      if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
    },
  };
}

interface Program {
  readonly child: ChildProcess;
  readonly attempt: (method: string, options: Step['options']) => Promise<string>;
  readonly end: () => Promise<void>;
}

/** Each attempt has a text of its own, and so ports and fragments of its own. */
let last = 0;

function start({ prefix }: Namespace): Program {
  const [command = '', ...rest] = [...prefix, 'python3', ATTACK, 'many'];
  const child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    child,
    attempt: async (method, options) => {
      const words = Object.entries({ text: `attempt-${last++}`, ...options });
      child.stdin.write(`${method} ${words.map(([name, value]) => `${name}=${value}`).join(' ')}\n`);
      return String((await answers.next()).value);
    },
    end: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function delivered(pid: number | undefined): Promise<number> {
  const read = (name: string) => readFile(`/proc/${pid}/net/${name}`, 'utf8');
  const [names = '', values = ''] = (await read('snmp')).split('\n');
  const four = new Map(names.split(' ').map((name, at) => [name, Number(values.split(' ')[at])]));
  const lines = (await read('snmp6')).split('\n').map((line) => line.split(/\s+/));
  const six = new Map(lines.map(([name = '', value]) => [name, Number(value)]));
  return (
    sum(four, 'InDelivers', 'InUnknownProtos') +
    sum(six, 'Ip6InDelivers', 'Ip6InUnknownProtos') -
    sum(six, 'Icmp6InNeighborSolicits', 'Icmp6InNeighborAdvertisements', 'Icmp6InRouterAdvertisements')
  );
}

const sum = (counts: ReadonlyMap<string, number>, ...names: readonly string[]): number =>
  names.reduce((total, name) => total + (counts.get(name) ?? 0), 0);

interface Link {
  readonly address: string;
  readonly addr_info: readonly { readonly local: string; readonly family: string; readonly scope: string }[];
}

async function addressOf(one: Namespace, device = one.device): Promise<Address> {
  const links: readonly Link[] = JSON.parse((await one.run('ip', ['-j', 'addr', 'show', device])).stdout);
  const local = (family: string, scope: string) =>
    links[0]?.addr_info.find((info) => info.family === family && info.scope === scope)?.local ?? '';
  const [ipv4, ipv6] = [local('inet', 'global'), local('inet6', 'global')];
  return { ipv4, ipv6, linkLocal: local('inet6', 'link'), mac: links[0]?.address ?? '' };
}
