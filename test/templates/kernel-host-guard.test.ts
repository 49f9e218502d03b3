/**
 * The ports guard: callers from elsewhere reach the openings of a container, and nothing else of it.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { portsOf } from '../../src/features/host/ports.ts';
import { opening, prefix } from '../support/host-claims.ts';
import { end, port as published, web } from '../support/host-inventory.ts';
import { netns, packet } from './fixture.ts';
import { BRIDGES, loadHost, PORT, useHost } from './host-fixture.ts';

const fixture = await useHost();
const { agents, containers, host, outside } = fixture;

const ENFORCE = { mode: 'enforce', families: [4, 6], isBetween: false } as const;

beforeEach(async () => {
  await netns(host, 'clear host');
});

const ping = async (from: typeof outside, address: string): Promise<boolean> =>
  (await packet(from, 'ping', address)).trim() === 'answered';

/** As a caller does of its own connection by a RST, which the container never gets. */
const forgetConnections = (family: 'ipv4' | 'ipv6') => host.run('conntrack', ['-D', '-f', family]);

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const a1 = containers.a1[family];
  const a2 = containers.a2[family];

  it('without a guard all ports are open', async () => {
    await loadHost(host, {});
    expect(await agents.outside.open('x', a1, PORT)).toBe('connected');
  });

  it('only openings are open', async () => {
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT)] });
    expect(await agents.outside.open('x', a1, PORT)).toBe('connected');
    expect(await agents.outside.open('x', a1, PORT + 1)).toBe('silence');
    expect(await agents.outside.open('x', a2, PORT)).toBe('silence');
    expect(await agents.outside.ask(a1, PORT, 4001)).toBe('silence');
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT, 'anyone', 'udp')] });
    expect(await agents.outside.ask(a1, PORT, 4002)).toBe('hello');
  });

  it('calls of containers get their answers', async () => {
    await loadHost(host, { guard: ENFORCE });
    expect(await agents.a1.open('x', outside[family], PORT)).toBe('connected');
    expect(await agents.a1.talk('x')).toBe('hello');
    expect(await agents.a1.ask(outside[family], PORT, 4003)).toBe('hello');
    expect(await ping(containers.a1, outside[family])).toBe(true);
    expect(await agents.a1.open('x', outside[family], 1)).toBe('ECONNREFUSED');
  });

  it('a port that closes takes its connections along', async () => {
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT)] });
    await agents.outside.open('x', a1, PORT);
    expect(await agents.outside.talk('x')).toBe('hello');
    await loadHost(host, { guard: ENFORCE });
    expect(await agents.outside.talk('x')).toBe('silence');
  });

  it('a connection whose port was closed does not begin anew from the other end', async () => {
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT)] });
    await agents.outside.open('x', a1, PORT);
    expect(await agents.outside.talk('x')).toBe('hello');
    await loadHost(host, { guard: ENFORCE });
    await forgetConnections(family);
    await agents.a1.speak();
    expect(await agents.outside.talk('x')).toBe('silence');
  });

  it('a call of a container goes on when the kernel has forgotten it', async () => {
    await loadHost(host, { guard: ENFORCE });
    await agents.a1.open('x', outside[family], PORT);
    await forgetConnections(family);
    expect(await agents.a1.talk('x')).toBe('hello');
  });

  it('sources may be named, also nested ones', async () => {
    const [near, far] =
      family === 'ipv4' ? ['198.51.100.0/28', '203.0.113.0/24'] : ['2001:db8:f::/64', 'fd00::/8'];
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT, [far])] });
    expect(await agents.outside.open('x', a1, PORT)).toBe('silence');
    const openings = [opening(a1, PORT, [far, near, outside[family]]), opening(a1, PORT, [near])];
    await loadHost(host, { guard: ENFORCE, openings });
    expect(await agents.outside.open('x', a1, PORT)).toBe('connected');
  });

  it('ping follows the openings', async () => {
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT), opening(a1, PORT + 1)] });
    expect(await ping(outside, a1)).toBe(true);
    expect(await ping(outside, a2)).toBe(false);
    await loadHost(host, { guard: ENFORCE, openings: [opening(a1, PORT + 1)] });
    expect(await ping(outside, a1)).toBe(true);
  });

  it('neighbours on the same bridge, the host itself, and other bridges call freely', async () => {
    await loadHost(host, { guard: ENFORCE });
    expect(await agents.a2.open('x', a1, PORT)).toBe('connected');
    expect(await agents.host.open('x', a1, PORT)).toBe('connected');
    expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
  });

  it('other bridges need an opening too where that is asked for', async () => {
    const guard = { ...ENFORCE, isBetween: true };
    await loadHost(host, { guard });
    expect(await agents.b1.open('x', a1, PORT)).toBe('silence');
    expect(await agents.a2.open('x', a1, PORT)).toBe('connected');
    await loadHost(host, { guard, openings: [opening(a1, PORT)] });
    expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
  });

  it('observe records what it would deny, and denies nothing', async () => {
    await loadHost(host, { guard: { ...ENFORCE, mode: 'observe' } });
    expect(await agents.outside.open('x', a1, PORT)).toBe('connected');
    const { stdout } = await netns(host, 'denied host');
    expect(stdout).toContain(`["${outside[family]}", "${a1}", 6, ${PORT}]`);
  });

  it('a bridge that is not guarded is left alone', async () => {
    const bridges = BRIDGES.map((bridge) => ({ ...bridge, isGuarded: bridge.name === 'br-b' }));
    await loadHost(host, { guard: ENFORCE, bridges });
    expect(await agents.outside.open('x', a1, PORT)).toBe('connected');
    expect(await agents.outside.open('x', containers.b1[family], PORT)).toBe('silence');
  });

  it('the other family is left alone', async () => {
    const other = family === 'ipv4' ? 'ipv6' : 'ipv4';
    await loadHost(host, { guard: { ...ENFORCE, families: [family === 'ipv4' ? 4 : 6] } });
    expect(await agents.outside.open('x', containers.a1[other], PORT)).toBe('connected');
    expect(await agents.outside.open('x', a1, PORT)).toBe('silence');
  });

  it('callers whom a container names reach its published port, directly and by the proxy, and nobody else', async () => {
    const hostPort = PORT + (family === 'ipv4' ? 20 : 21);
    await agents.host.serve(hostPort);
    const [all, others] = family === 'ipv4' ? ['0.0.0.0/0', '203.0.113.0/24'] : ['::/0', 'fd00::/8'];
    const container = web({
      networks: [family === 'ipv4' ? end('a', a1) : end('a', undefined, a1)],
      ports: [published(all, hostPort, PORT)],
    });
    const load = async (...callers: readonly string[]) => {
      const ranges = [{ first: PORT, last: PORT }];
      const entries = callers.map((one) => ({ prefix: prefix(one), protocol: 'tcp' as const, ranges }));
      const named = { text: 'a key', entries, ofRunner: entries, isLimiting: true };
      const service = { text: 'web', protocol: 'tcp' as const, at: [{ container, port: PORT }] };
      const settings = { callers: new Map([[container.id, named]]) };
      await loadHost(host, { guard: ENFORCE, ...portsOf([service], [container], settings) });
      return Promise.all([
        agents.outside.open('x', a1, PORT),
        agents.outside.open('y', host[family], hostPort),
      ]);
    };
    expect(await load(others)).toEqual(['silence', 'silence']);
    expect(await load(others, outside[family])).toEqual(['connected', 'connected']);
    expect(await agents.outside.open('z', a1, PORT + 1)).toBe('silence');
    expect(await load(all)).toEqual(['connected', 'connected']);
    expect(await load()).toEqual(['silence', 'silence']);
    expect(await agents.outside.talk('x')).toBe('silence');
  });

  it('a port behind a proxy of this host is closed but for who may', async () => {
    await agents.host.serve(PORT + (family === 'ipv4' ? 10 : 11));
    const port = PORT + (family === 'ipv4' ? 10 : 11);
    const proxied = (from: Parameters<typeof opening>[2] | 'nobody') => [
      {
        at: prefix(family === 'ipv4' ? '0.0.0.0/0' : '::/0'),
        protocol: 'tcp' as const,
        port,
        from: typeof from === 'object' ? from.map(prefix) : (from ?? 'nobody'),
      },
    ];
    await loadHost(host, { guard: ENFORCE, proxied: proxied('nobody') });
    expect(await agents.outside.open('x', host[family], port)).toBe('silence');
    expect(await agents.host.open('x', host[family], port)).toBe('connected');
    expect(await agents.a1.open('x', host[family], port)).toBe('connected');
    await loadHost(host, { guard: ENFORCE, proxied: proxied([outside[family]]) });
    expect(await agents.outside.open('x', host[family], port)).toBe('connected');
    await loadHost(host, { guard: ENFORCE, proxied: proxied('anyone') });
    expect(await agents.outside.open('x', host[family], port)).toBe('connected');
    const one = { at: prefix(host[family]), protocol: 'tcp', port, from: 'nobody' } as const;
    await loadHost(host, { guard: ENFORCE, proxied: [one] });
    expect(await agents.outside.open('x', host[family], port)).toBe('silence');
    const other = { ...one, at: prefix(family === 'ipv4' ? '172.29.1.1' : '2001:db8:a::1') };
    await loadHost(host, { guard: ENFORCE, proxied: [other] });
    expect(await agents.outside.open('x', host[family], port)).toBe('connected');
    await loadHost(host, { guard: ENFORCE, proxied: proxied('nobody') });
    await forgetConnections(family);
    await agents.host.speak();
    expect(await agents.outside.talk('x')).toBe('word');
    expect(await agents.outside.talk('x')).toBe('silence');
  });
});

it('an ICMPv6 error about the size of packets passes, though it belongs to no connection', async () => {
  const arrived = `table inet arrived {
    counter errors { }
    chain input { type filter hook input priority 0; icmpv6 type packet-too-big counter name errors; }
  }`;
  await containers.a1.run('nft', ['-f', '-'], { input: arrived });
  await loadHost(host, { guard: ENFORCE });
  expect(await packet(outside, 'too-big', containers.a1.ipv6)).toBe('sent');
  expect((await containers.a1.run('nft', ['list', 'counters'])).stdout).toContain('packets 1 ');
  expect(await packet(outside, 'ping', containers.a1.ipv6)).toBe('silence');
  await containers.a1.run('nft', ['delete', 'table', 'inet', 'arrived']);
});

describe('a datagram in the name of a container', () => {
  const [a1, text] = [containers.a1.ipv4, 'spoofed'];

  it('from another bridge lets nobody answer to the container', async () => {
    await loadHost(host, { guard: { ...ENFORCE, isBetween: true } });
    await packet(containers.b1, 'datagram', a1, outside.ipv4, `${PORT}`, '4300', text);
    await packet(containers.b1, 'datagram', a1, containers.b1.ipv4, `${PORT}`, '4301', text);
    expect(await agents.outside.ask(a1, PORT, 4300)).toBe('silence');
    expect(await agents.b1.ask(a1, PORT, 4301)).toBe('silence');
  });

  it('from outside begins no connection', async () => {
    await loadHost(host, { guard: ENFORCE });
    const elsewhere = '203.0.113.5';
    await host.run('ip', ['route', 'replace', elsewhere, 'via', outside.ipv4]);
    await packet(outside, 'datagram', a1, elsewhere, `${PORT}`, '4302', text);
    const { stdout } = await host.run('conntrack', ['-L', '-p', 'udp']);
    expect(stdout).not.toContain(elsewhere);
  });
});

it('keeps its rules apart from those of others, and leaves none', async () => {
  const before = await host.run('nft', ['list', 'ruleset']);
  await loadHost(host, { guard: ENFORCE, openings: [opening(containers.a1.ipv4, PORT)] });
  expect((await netns(host, 'state host')).stdout).toMatch(/^fingerprint [0-9a-f]{32}\ndigest [0-9a-f]{64}$/);
  await netns(host, 'clear host');
  expect(await host.run('nft', ['list', 'ruleset'])).toEqual(before);
});
