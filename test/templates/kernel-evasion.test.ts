/**
 * What a program with CAP_NET_RAW, which Docker gives by default, may try. Each trick is first seen to
 * work without rules, or would with one line of the template less.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { compileEgressTemplate, type EgressTemplate } from '../../src/features/egress/template.ts';
import { destinations, type Fixture, load, netns, PORT, packet, useFixture } from './fixture.ts';
import { ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
  await receivedTexts();
});

const receivedTexts = async () => ({
  granted: await fixture.agents.granted.received(),
  denied: await fixture.agents.denied.received(),
});
const REFUSED = 'Operation not permitted';
const NOTHING = { granted: '', denied: '' };

interface Link {
  readonly ifindex: number;
  readonly address: string;
}

const linkOf = async (namespace: Fixture['workload'], device = 'eth0'): Promise<Link> => {
  const links: readonly [Link] = JSON.parse(
    (await namespace.run('ip', ['-j', 'link', 'show', device])).stdout,
  );
  return links[0];
};

/** A frame of a packet socket, straight to the denied namespace. */
const frame = async (text: string, ...options: readonly string[]): Promise<string> => {
  const { ifindex } = await linkOf(fixture.workload);
  const { address } = await linkOf(fixture.denied);
  const words = [`${ifindex}`, address, fixture.workload.ipv4, fixture.denied.ipv4, `${PORT}`, text];
  return packet(fixture.workload, 'frame', ...words, ...options);
};

/** A port that nobody serves: between two servers an echo would go on for ever. */
const QUIET = 4009;

/** A datagram from `source:port` to `destination:port`, sent by the workload whatever its address is. */
const spoof = (source: string, from: number, destination: string, to: number): Promise<string> =>
  packet(fixture.workload, 'datagram', source, destination, `${from}`, `${to}`, 'spoofed');

it('without rules, frames and false addresses get through', async () => {
  expect(await frame('frame')).toBe('sent');
  expect(await spoof(fixture.granted.ipv4, QUIET, fixture.denied.ipv4, PORT)).toBe('sent');
  await expect.poll(() => fixture.agents.denied.received()).toBe('frame spoofed');
});

describe.each(['nftables', 'denylist', 'lockdown'])('%s', (template) => {
  it.each(['queued', 'bypass'])('drops %s frames of packet sockets', async (way) => {
    await load(fixture.workload, template);
    expect(await frame('frame', ...(way === 'bypass' ? [way] : []))).toBe('No buffer space available');
    expect(await receivedTexts()).toEqual(NOTHING);
  });

  it('drops them on an interface that was attached after the load', async ({ skip }) => {
    await load(fixture.workload, template);
    const { stdout: release } = await fixture.workload.run('uname', ['-r']);
    const [major = 0, minor = 0] = release.split('.').map(Number);
    if (major < 6 || (major === 6 && minor < 16)) skip('chains cannot name devices to come before 6.16');
    const { run } = fixture.workload;
    await run('ip', ['link', 'add', 'eth9', 'type', 'veth', 'peer', 'name', 'far9']);
    for (const device of ['eth9', 'far9']) await run('ip', ['link', 'set', device, 'up']);
    const { ifindex, address } = await linkOf(fixture.workload, 'eth9');
    const words = [`${ifindex}`, address, fixture.workload.ipv4, fixture.denied.ipv4, `${PORT}`, 'frame'];
    expect(await packet(fixture.workload, 'frame', ...words)).toBe('No buffer space available');
    await run('ip', ['link', 'delete', 'eth9']);
  });
});

/** Each of the walls against false addresses must hold without the other. */
const withoutLine = (name: string, line: string): EgressTemplate => {
  const { source } = loadTemplate(name);
  if (!source.includes(line)) throw new Error(`the template ${name} has no such line`);
  return compileEgressTemplate(`${name} without the check of addresses`, source.replace(line, ''));
};
const WALLS = [
  loadTemplate('nftables'),
  loadTemplate('iptables'),
  withoutLine('nftables', 'fib saddr type != local goto spoofed'),
  withoutLine(
    'iptables',
    '-A EGRESSTRATOR-OUT -m addrtype ! --src-type LOCAL -j {{#if audit}}ACCEPT{{else}}DROP{{/if}}',
  ),
];

describe.each(WALLS)('$name', (template) => {
  it('does not take a granted flow turned around for a granted flow', async () => {
    await load(fixture.workload, template, { allowed: ruleSet(`${fixture.granted.ipv4}:udp/${QUIET}`) });
    await spoof(fixture.denied.ipv4, PORT, fixture.granted.ipv4, QUIET);
    expect(await spoof(fixture.granted.ipv4, QUIET, fixture.denied.ipv4, PORT)).toBe(REFUSED);
    expect(await fixture.agents.denied.received()).toBe('');
  });

  it('does not take the answer to a packet from itself for an answer to the outside', async () => {
    await load(fixture.workload, template);
    await spoof(fixture.denied.ipv4, PORT, fixture.workload.ipv4, QUIET);
    expect(await fixture.agents.workload.ask(fixture.denied.ipv4, PORT, QUIET)).toBe('EPERM');
    expect(await spoof(fixture.workload.ipv4, QUIET, fixture.denied.ipv4, PORT)).toBe(REFUSED);
    expect(await receivedTexts()).toEqual(NOTHING);
  });
});

describe.each(['nftables', 'iptables'])('%s', (template) => {
  it('refuses a false source address, even to what is granted', async () => {
    await load(fixture.workload, template, { allowed: ruleSet(`${fixture.granted.ipv4}:udp/${PORT}`) });
    expect(await spoof(fixture.denied.ipv4, QUIET, fixture.granted.ipv4, PORT)).toBe(REFUSED);
    expect(await receivedTexts()).toEqual(NOTHING);
  });

  it('lets nothing out through a socket that is bound to loopback', async () => {
    await load(fixture.workload, template);
    await packet(fixture.workload, 'bound', 'lo', fixture.denied.ipv4, `${PORT}`, 'bound');
    expect(await receivedTexts()).toEqual(NOTHING);
  });

  it('lets no neighbour discovery off the link', async () => {
    await load(fixture.workload, template);
    await fixture.workload.run('ip', ['-6', 'route', 'replace', 'default', 'via', fixture.denied.ipv6]);
    expect(await packet(fixture.workload, 'neighbour', fixture.denied.ipv6)).toBe('sent');
    expect(await packet(fixture.workload, 'neighbour', 'fd00:e9:aa::1')).toBe(REFUSED);
  });
});

describe('nftables', () => {
  it('records who was refused, but no false alarm about its own answers', async () => {
    await load(fixture.workload, 'nftables');
    await fixture.agents.workload.open('a', fixture.denied.ipv4, PORT);
    await fixture.agents.workload.open('b', fixture.denied.ipv6, PORT);
    await fixture.agents.workload.ask(fixture.denied.ipv4, PORT, 4001);
    await fixture.agents.workload.ask(fixture.denied.ipv4, PORT, 4001);
    await packet(fixture.workload, 'ping', fixture.denied.ipv4);
    await packet(fixture.workload, 'ping', fixture.denied.ipv6);
    expect(await destinations(fixture.workload)).toEqual([
      `${fixture.denied.ipv4} icmp 8: 1`,
      `${fixture.denied.ipv4} tcp ${PORT}: 1`,
      `${fixture.denied.ipv4} udp ${PORT}: 2`,
      `${fixture.denied.ipv6} icmp 128: 1`,
      `${fixture.denied.ipv6} tcp ${PORT}: 1`,
    ]);
  });

  it('records what it lets pass in audit mode', async () => {
    await load(fixture.workload, 'nftables', { mode: 'audit' });
    for (let times = 0; times < 3; times += 1) {
      expect(await fixture.agents.workload.ask(fixture.denied.ipv4, PORT, 4002)).toBe('hello');
    }
    expect(await destinations(fixture.workload)).toEqual([`${fixture.denied.ipv4} udp ${PORT}: 3`]);
  });
});
