/**
 * Forwards: ports of the host lead to containers, for callers from outside, from the host, and from containers.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { forward, opening, prefix } from '../support/host-claims.ts';
import { netns, packet } from './fixture.ts';
import { BRIDGES, loadHost, PORT, useHost } from './host-fixture.ts';

const fixture = await useHost();
const { agents, containers, host, outside } = fixture;

beforeEach(async () => {
  await netns(host, 'clear host');
  await host.run('nft', ['flush', 'ruleset']);
});

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const a1 = containers.a1[family];
  const b1 = containers.b1[family];
  const address = host[family];

  it('lead to containers for everyone', async () => {
    expect(await agents.outside.open('x', address, 80)).toBe('ECONNREFUSED');
    await loadHost(host, { forwards: [forward(80, a1, PORT), forward(53, a1, PORT, { protocol: 'udp' })] });
    for (const agent of [agents.outside, agents.host, agents.a2, agents.b1]) {
      expect(await agent.open('x', address, 80)).toBe('connected');
      expect(await agent.talk('x')).toBe('hello');
      expect(await agent.ask(address, 53, 4100)).toBe('hello');
    }
    expect(await agents.outside.open('x', address, 81)).toBe('ECONNREFUSED');
  });

  it('of one address, or one device, are for that alone', async () => {
    const at = { kind: 'address', address: prefix(address) } as const;
    await loadHost(host, { forwards: [forward(80, a1, PORT, { at })] });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
    const gateway = family === 'ipv4' ? '172.29.1.1' : '2001:db8:a::1';
    expect(await agents.a2.open('x', gateway, 80)).toBe('ECONNREFUSED');
    const on = (name: string) => forward(80, a1, PORT, { at: { kind: 'device', name } });
    await loadHost(host, { forwards: [on('br-b')] });
    expect(await agents.outside.open('x', address, 80)).toBe('ECONNREFUSED');
    await loadHost(host, { forwards: [on('eth0')] });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
  });

  it('the nearest claim counts: the device, then the address, then any', async () => {
    const at = { kind: 'address', address: prefix(address) } as const;
    const closed = PORT + 5;
    await loadHost(host, { forwards: [forward(80, a1, closed), forward(80, b1, PORT, { at })] });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
    const on = { kind: 'device', name: 'eth0' } as const;
    const forwards = [
      forward(80, a1, closed),
      forward(80, a1, closed, { at }),
      forward(80, b1, PORT, { at: on }),
    ];
    await loadHost(host, { forwards });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
  });

  it('show the container who calls', async () => {
    await containers.b1.run('nft', ['-f', '-'], {
      input: `table inet seen { chain input { type filter hook input priority 0; ${family === 'ipv4' ? 'ip' : 'ip6'} saddr ${outside[family]} tcp dport ${PORT} counter; }; }`,
    });
    await loadHost(host, { forwards: [forward(80, b1, PORT)] });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
    const { stdout } = await containers.b1.run('nft', ['list', 'table', 'inet', 'seen']);
    expect(stdout).toMatch(/counter packets [1-9]/);
    await containers.b1.run('nft', ['delete', 'table', 'inet', 'seen']);
  });

  it('pass another firewall that accepts the mark, and nothing else does', async () => {
    await host.run('nft', ['-f', '-'], {
      input: `table inet strict { chain forward { type filter hook forward priority filter; policy drop;
        meta mark & 0xfe000000 == 0x64000000 accept; }; }`,
    });
    await loadHost(host, { forwards: [forward(80, a1, PORT)] });
    expect(await agents.outside.open('x', address, 80)).toBe('connected');
    expect(await agents.outside.talk('x')).toBe('hello');
    expect(await agents.outside.open('x', a1, PORT)).toBe('silence');
    expect(await agents.outside.open('x', a1, PORT + 1)).toBe('silence');
  });

  it('masquerade what leaves a bridge', async () => {
    await outside.run('ip', ['-6', 'route', 'del', 'default'], { reject: false });
    await outside.run('ip', ['route', 'del', 'default'], { reject: false });
    try {
      expect(await agents.a1.open('x', outside[family], PORT)).toBe('silence');
      const bridges = BRIDGES.map((bridge) => ({ ...bridge, masqueraded: bridge.subnets }));
      await loadHost(host, { bridges });
      expect(await agents.a1.open('x', outside[family], PORT)).toBe('connected');
      expect(await agents.a1.open('x', b1, PORT)).toBe('connected');
    } finally {
      await outside.run('ip', ['route', 'add', 'default', 'via', host.ipv4]);
      await outside.run('ip', ['-6', 'route', 'add', 'default', 'via', host.ipv6]);
    }
  });

  it('lead SCTP to its target, unless the guard closes it', async () => {
    const arrived = `table inet arrived {
      counter inits { }
      chain input { type filter hook input priority 0; sctp dport ${PORT} counter name inits; }
    }`;
    await containers.a1.run('nft', ['-f', '-'], { input: arrived });
    /** From a port of its own each time: a packet of a known association goes where the others went. */
    const arrives = async (from: number): Promise<boolean> => {
      await containers.a1.run('nft', ['reset', 'counters']);
      expect(await packet(outside, 'sctp', String(from), address, '90')).toBe('sent');
      return !(await containers.a1.run('nft', ['list', 'counters'])).stdout.includes('packets 0 ');
    };
    const forwards = [forward(90, a1, PORT, { protocol: 'sctp' })];
    const guard = { mode: 'enforce', families: [4, 6], isBetween: false } as const;
    try {
      await loadHost(host, {});
      expect(await arrives(4_001)).toBe(false);
      await loadHost(host, { forwards });
      expect(await arrives(4_002)).toBe(true);
      await loadHost(host, { forwards, guard });
      expect(await arrives(4_003)).toBe(false);
      await loadHost(host, { forwards, guard, openings: [opening(a1, PORT, 'anyone', 'sctp')] });
      expect(await arrives(4_004)).toBe(true);
    } finally {
      await containers.a1.run('nft', ['delete', 'table', 'inet', 'arrived']);
    }
  });

  it('end with their forward', async () => {
    await loadHost(host, { forwards: [forward(80, a1, PORT)] });
    await loadHost(host, { forwards: [forward(81, a1, PORT)] });
    expect(await agents.outside.open('x', address, 80)).toBe('ECONNREFUSED');
    expect(await agents.outside.open('x', address, 81)).toBe('connected');
  });
});

it('ten thousand load', async () => {
  const forwards = Array.from({ length: 10_000 }, (_, index) =>
    forward(10_000 + index, containers.a1.ipv4, PORT),
  );
  await loadHost(host, { forwards });
  expect(await agents.outside.open('x', host.ipv4, 19_999)).toBe('connected');
});
