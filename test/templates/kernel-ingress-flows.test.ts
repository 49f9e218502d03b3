/**
 * Attacks on ingress rules by flows: a caller makes the kernel take its packets for answers, or comes back on a connection
 * that was cut. Each is first seen to work without rules, or without the line of the template that stops it.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { INGRESS_SHAPE } from '../../src/features/ingress/context.ts';
import { type IngressTemplate, loadIngressTemplate } from '../../src/features/ingress/render.ts';
import { compileTemplate } from '../../src/rendering/template.ts';
import { netns } from './fixture.ts';
import { PORT } from './host-fixture.ts';
import { useAttackers } from './ingress-attackers.ts';

const { agents, containers, attack, placesOf, delivered, admit, host } = await useAttackers();
const { a1: guarded, a2: neighbour, b1: friend } = containers;
const PATIENT = { timeout: 20_000 };
const FAMILIES = ['ipv4', 'ipv6'] as const;
/** A port that nobody serves. */
const QUIET = 4009;

beforeEach(async () => {
  await netns(guarded, 'clear');
  await guarded.run('conntrack', ['-F']);
  await agents.a1.received();
});

const template = loadIngressTemplate();
function replacing(line: string, other: string): IngressTemplate {
  if (!template.source.includes(line)) throw new Error(`the template has no such line: ${line}`);
  return compileTemplate(`ingress without ${line}`, template.source.replace(line, other), INGRESS_SHAPE);
}
const without = (line: string): IngressTemplate => replacing(line, '');

/** Of a datagram of the neighbour, whether it came to the server in the container. */
async function comes(family: 'ipv4' | 'ipv6', from = QUIET): Promise<boolean> {
  await agents.a1.received();
  await agents.a2.ask(guarded[family], PORT, from);
  return (await agents.a1.received()) !== '';
}

describe.each(FAMILIES)('%s', (family) => {
  /** Makes the container forward a packet that bears its own address, so that its answers seem to be expected. */
  async function forwardOwn(): Promise<void> {
    const { target, self } = placesOf('neighbour');
    const words = { src: target[family], dst: self[family], sport: PORT, port: QUIET, mac: target.mac };
    await attack('neighbour', { method: 'frame', options: { form: 'udp', ...words } });
  }

  it('a container that routes takes no packet with its own address for a call of its own', async () => {
    await guarded.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
    // Only by IPv6 does the kernel forward such a packet by itself.
    await admit([], without('    fib saddr type local drop\n'));
    await forwardOwn();
    expect(await comes(family)).toBe(family === 'ipv6');
    await guarded.run('conntrack', ['-F']);
    await admit([]);
    await forwardOwn();
    expect(await comes(family)).toBe(false);
    await guarded.run('sysctl', ['-qw', 'net.ipv6.conf.all.forwarding=0']);
  });

  it('who was called from a port may call that port, as an answer, and no other', async () => {
    await admit([]);
    expect(await comes(family)).toBe(false);
    const { target, self } = placesOf('inside');
    expect(target).toEqual(self);
    const call = { dst: neighbour[family], sport: PORT + 2, port: QUIET };
    await attack('inside', { method: 'udp', options: call });
    const before = await delivered();
    const answer = (port: number) =>
      attack('neighbour', { method: 'udp', options: { dst: guarded[family], sport: QUIET, port } });
    await answer(PORT);
    expect(await delivered()).toBe(before);
    await answer(PORT + 2);
    expect(await delivered()).toBe(before + 1);
  });
});

it('a source route does not bring the answers to a forged call to its sender', async () => {
  const sysctls = ['all', 'eth0'].map((name) => `net.ipv4.conf.${name}.accept_source_route=1`);
  await guarded.run('sysctl', ['-qw', ...sysctls]);
  const forged = async (): Promise<number> => {
    const { target, self } = placesOf('neighbour');
    const words = { src: friend.ipv4, dst: target.ipv4, by: self.ipv4, port: PORT };
    const before = await delivered();
    await attack('neighbour', {
      method: 'frame',
      options: { form: 'past-route', mac: target.mac, ...words },
    });
    return (await delivered()) - before;
  };
  await admit([`${friend.ipv4}:udp/${PORT}`], without('    ip hdrlength > 5 goto deny\n'));
  await expect.poll(forged, PATIENT).toBe(1);
  await admit([`${friend.ipv4}:udp/${PORT}`]);
  await guarded.run('conntrack', ['-F']);
  await expect.poll(() => agents.b1.ask(guarded.ipv4, PORT, 4101), PATIENT).toBe('hello');
  expect(await forged()).toBe(0);
});

it('a server that the container calls by FTP may not call it back', async () => {
  await agents.a2.serve(21);
  const helper = 'ct helper ftp { type "ftp" protocol tcp; }';
  const chain = 'chain out { type filter hook output priority 0; tcp dport 21 ct helper set "ftp"; }';
  await guarded.run('nft', ['-f', '-'], { input: `table inet helpers { ${helper}; ${chain}; }\n` });
  const words = ['USER x', `PORT ${guarded.ipv4.replaceAll('.', ',')},${PORT >> 8},${PORT & 255}`];
  const call = [
    ...['import socket', `s = socket.create_connection(("${neighbour.ipv4}", 21))`],
    ...words.flatMap((word) => [`s.sendall(b"${word}\\r\\n")`, 's.recv(99)']),
  ];
  const calledBack = async (): Promise<string> => {
    await guarded.run('python3', ['-c', call.join('\n')]);
    return agents.a2.open('back', guarded.ipv4, PORT);
  };
  const line = 'meta l4proto { icmp, icmpv6 } ct state related accept';
  await admit([], replacing(line, 'ct state related ct mark set $generation accept'));
  expect(await calledBack()).toBe('connected');
  await guarded.run('conntrack', ['-F']);
  await admit([]);
  await expect.poll(calledBack, PATIENT).toBe('ECONNREFUSED');
  await guarded.run('nft', ['delete', 'table', 'inet', 'helpers']);
});

it('rules hold on a network that the container joins later, and after it has left', async () => {
  await admit([`${friend.ipv4}:tcp/${PORT + 1}`]);
  await host.run('ip', [
    'link',
    'add',
    'later',
    'type',
    'veth',
    'peer',
    'name',
    'eth9',
    'netns',
    guarded.name,
  ]);
  await host.run('ip', ['link', 'set', 'later', 'master', 'br-b', 'up']);
  await guarded.run('ip', ['address', 'add', '172.29.2.9/24', 'dev', 'eth9']);
  await guarded.run('ip', ['link', 'set', 'eth9', 'up']);
  const answer = (address: string, port: number) =>
    expect.poll(() => agents.b1.open('x', address, port), PATIENT);
  await answer('172.29.2.9', PORT).toBe('ECONNREFUSED');
  await answer('172.29.2.9', PORT + 1).toBe('connected');
  await host.run('ip', ['link', 'delete', 'later']);
  await answer(guarded.ipv4, PORT).toBe('ECONNREFUSED');
  await answer(guarded.ipv4, PORT + 1).toBe('connected');
});
