/**
 * Ports of a container that lead to another address, in a real kernel.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ContainerForward } from '../../src/features/networks/model.ts';
import { loadNatTemplate, renderNat } from '../../src/features/networks/nat.ts';
import { prefix } from '../support/host-claims.ts';
import { load, netns } from './fixture.ts';
import { PORT, useHost } from './host-fixture.ts';
import { ruleSet } from './rules.ts';

const { agents, containers } = await useHost();
const proxy = containers.a2;

const PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));
const template = loadNatTemplate();

const forward = (
  port: number,
  to: string,
  toPort: number,
  traits: Partial<ContainerForward> = {},
): ContainerForward => ({
  ...{ inside: 'proxy', device: undefined, protocol: 'tcp', port, to: prefix(to), toPort },
  origin: { path: 'policies[0]', line: 1, lines: {} },
  ...traits,
});

async function loadNat(...forwards: readonly ContainerForward[]): Promise<void> {
  const { exitCode, stderr } = await netns(proxy, 'load nat', renderNat(template, forwards).text);
  if (exitCode !== 0 || stderr !== '') throw new Error(`not loaded: ${exitCode} ${stderr}`);
}

/** As the controller runs it in the namespace of a container. */
const program = async (command: string, input = ''): Promise<string> =>
  (await proxy.run('sh', [PROGRAM, command, 'nat'], { input })).stdout;

beforeEach(async () => {
  await netns(proxy, 'clear');
  for (const family of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'])
    await proxy.run('sh', ['-c', `echo 1 > /proc/sys/net/${family}`]);
});

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const [at, target] = [proxy[family], containers.a1[family]];

  it('a port leads to another container, in the name of this one', async () => {
    expect(await agents.b1.open('x', at, 90)).toBe('ECONNREFUSED');
    await loadNat(forward(90, target, PORT), forward(91, target, PORT, { protocol: 'udp' }));
    expect(await agents.b1.open('x', at, 90)).toBe('connected');
    expect(await agents.b1.talk('x')).toBe('hello');
    expect(await agents.b1.ask(at, 91, 4200)).toBe('hello');
    const peers = (await containers.a1.run('ss', ['-tnH', 'state', 'established'])).stdout;
    expect([peers.includes(at), peers.includes(containers.b1[family])]).toEqual([true, false]);
    expect(await agents.b1.open('y', at, 92)).toBe('ECONNREFUSED');
  });

  it('on one device it is for that alone, and comes first there', async () => {
    await loadNat(forward(90, target, PORT, { device: 'wg0' }));
    expect(await agents.b1.open('x', at, 90)).toBe('ECONNREFUSED');
    await loadNat(forward(90, target, PORT, { device: 'eth0' }), forward(90, target, 1));
    expect(await agents.b1.open('x', at, 90)).toBe('connected');
  });

  it("what this container calls itself is left alone, and so are others' translations", async () => {
    await loadNat(forward(PORT, target, PORT));
    expect(await agents.a2.open('x', containers.b1[family], PORT)).toBe('connected');
    expect(await agents.a2.open('y', at, PORT)).toBe('connected');
    const seen = (await containers.b1.run('ss', ['-tnH', 'state', 'established'])).stdout;
    expect(seen).toContain(at);
  });

  it('a port that leads nowhere any more is its own again', async () => {
    await loadNat(forward(90, target, PORT));
    expect(await agents.b1.open('x', at, 90)).toBe('connected');
    await netns(proxy, 'clear nat');
    expect(await agents.b1.open('y', at, 90)).toBe('ECONNREFUSED');
  });

  it('connections end with the port that led elsewhere, and those of other ports go on', async () => {
    await loadNat(
      ...[forward(90, target, PORT), forward(91, target, PORT, { device: 'eth0' })],
      forward(92, target, PORT, { protocol: 'udp' }),
    );
    expect(await agents.b1.open('ends', at, 90)).toBe('connected');
    expect(await agents.b1.open('stays', at, 91)).toBe('connected');
    expect(await agents.b1.ask(at, 92, 4201)).toBe('hello');
    expect(await program('forwards')).toBe(
      [`tcp 90 ${target} ${PORT}`, `tcp 91 ${target} ${PORT}`, `udp 92 ${target} ${PORT}`].join('\n'),
    );
    await loadNat(forward(91, target, PORT, { device: 'eth0' }));
    expect(await agents.b1.talk('ends')).toBe('hello');
    expect(await agents.b1.ask(at, 92, 4201)).toBe('hello');
    await program('forget', `tcp 90 ${target} ${PORT}\nudp 92 ${target} ${PORT}\n`);
    expect(await agents.b1.talk('ends')).not.toBe('hello');
    expect(await agents.b1.ask(at, 92, 4201)).not.toBe('hello');
    expect(await agents.b1.talk('stays')).toBe('hello');
  });
});

it('beside egress rules, a port leads only to what they allow', async () => {
  const allowed = ruleSet(`${containers.a1.ipv4}:tcp/${PORT}`);
  await load(proxy, 'nftables', { allowed });
  await loadNat(forward(90, containers.a1.ipv4, PORT), forward(91, containers.a1.ipv4, PORT + 1));
  expect(await agents.b1.open('x', proxy.ipv4, 90)).toBe('connected');
  expect(await agents.b1.talk('x')).toBe('hello');
  expect(await agents.b1.open('y', proxy.ipv4, 91)).not.toBe('connected');
  const owners = async () => (await netns(proxy, 'list')).stdout.trim().split('\n').sort();
  expect(await owners()).toEqual(['egress', 'nat']);
  await netns(proxy, 'clear nat');
  expect(await owners()).toEqual(['egress']);
});
