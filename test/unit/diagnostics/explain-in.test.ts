/**
 * Whether a caller reaches a container's port: each way that leads there, and each gate, as the template's chains decide.
 */
import { describe, expect, it, test } from 'vitest';
import { type ExplainInAnswer, explainIn } from '../../../src/diagnostics/explain-in.ts';
import { HOST_OFF, type HostView, hostAnswer } from '../../../src/diagnostics/host-view.ts';
import type { NetworksView } from '../../../src/diagnostics/networks-view.ts';
import { canonicalHost } from '../../../src/features/host/canonical.ts';
import type { Forward, Guard, Opening, Permit } from '../../../src/features/host/model.ts';
import type { PortOverride } from '../../../src/features/host/port-overrides.ts';
import { container } from '../../support/containers.ts';
import { bridge, forward, NO_CLAIMS, opening, permit, prefix } from '../../support/host-claims.ts';

const ENFORCE: Guard = { mode: 'enforce', families: [4, 6], isBetween: false };

const WEB = container('web', {
  networks: [
    {
      ...{ id: 'a', name: 'a', endpoint: 'e' },
      ...{ ipv4: prefix('172.18.0.2'), ipv6: prefix('fd00:18::2') },
    },
  ],
  ports: [
    { host: prefix('0.0.0.0/0'), hostPort: 8080, protocol: 'tcp', containerPort: 80 },
    { host: prefix('127.0.0.1'), hostPort: 8081, protocol: 'tcp', containerPort: 80 },
  ],
});

interface Given {
  readonly guard?: Guard | undefined;
  readonly openings?: readonly Opening[];
  readonly forwards?: readonly Forward[];
  readonly byHand?: readonly PortOverride[];
  readonly limited?: string;
  readonly permits?: readonly Permit[];
  readonly networks?: Partial<NetworksView>;
}

function viewOf({
  guard = ENFORCE,
  openings = [],
  forwards = [],
  byHand = [],
  limited,
  ...given
}: Given): HostView {
  const { permits = [], networks } = given;
  const { rules } = canonicalHost({
    ...NO_CLAIMS,
    bridges: [bridge('br-a', '172.18.0.0/16', 'fd00:18::/64'), bridge('br-b', '172.19.0.0/16')],
    ...{ guard, openings, forwards, permits },
    proxied: [
      {
        ...{ at: prefix('0.0.0.0/0'), protocol: 'tcp', port: 8080 },
        from: openings.some(({ port }) => port === 80) ? 'anyone' : 'nobody',
      },
    ],
  });
  return {
    ...{ ...HOST_OFF, state: 'loaded', guard, rules, containers: [WEB] },
    byHand: new Map([[`${WEB.id}@${WEB.startedAt}`, byHand]]),
    ...(limited !== undefined && { limited: new Map([[WEB.id, limited]]) }),
    ...(networks && { networks: { ...NO_NETWORKS, ...networks } }),
  };
}

function ask(given: Given, source: string, traffic = 'tcp/80'): ExplainInAnswer {
  const view = viewOf(given);
  if (view.rules === undefined) throw new Error('no rules');
  return explainIn({ container: 'web', source, traffic }, view, view.rules);
}

/** Each way with what its guard says. */
const waysOf = ({ ways }: ExplainInAnswer): readonly string[] =>
  ways.map(({ to, gates, passes }) => {
    const known = gates.filter(({ outcome }) => outcome !== 'unknown');
    return `${to}: ${known.map(({ gate, outcome, reason }) => `${gate} ${outcome} (${reason})`).join(', ')}; ${passes}`;
  });

const NO_NETWORKS: NetworksView = {
  ...{ path: '/etc/networks.json', readAt: 1, error: undefined, failing: [], problems: [], permits: [] },
  ...{ entries: { networks: [], attachments: [], policies: [], routes: [] }, inner: [] },
};

const OUTSIDE = '198.51.100.7';

describe('a port that nothing opened', () => {
  it('is denied by the guard on each way, and nothing leads from loopback', () => {
    const asked = ask({}, OUTSIDE);
    expect(waysOf(asked)).toEqual([
      '172.18.0.2 tcp/80: guard denies (no service is registered at this port); false',
      'any address of this host, tcp/8080: forward passes (Docker publishes the port itself), guard denies (no service is registered at this port); false',
      '127.0.0.1, tcp/8081: loopback denies (the port is published for callers of this host alone); false',
    ]);
    expect(asked.passes).toBe(false);
  });

  it('is only recorded where the guard observes', () => {
    const asked = ask({ guard: { ...ENFORCE, mode: 'observe' } }, OUTSIDE);
    expect(waysOf(asked)[0]).toBe(
      '172.18.0.2 tcp/80: guard records (no service is registered at this port); true',
    );
    expect(asked.passes).toBe(true);
  });

  test.each([
    ['172.18.0.9', {}, 'the caller is on the same bridge (br-a)'],
    ['172.19.0.9', {}, 'callers on bridges of this Engine call freely (--ports-between allow)'],
    ['127.0.0.1', {}, 'calls of this host itself are not guarded'],
    [OUTSIDE, { guard: { ...ENFORCE, families: [6] } }, 'calls by IPv4 are not guarded (--ports-family)'],
  ] as const)('passes a call of %s where the guard does not look', (source, given, reason) => {
    expect(waysOf(ask(given, source))[0]).toBe(`172.18.0.2 tcp/80: guard passes (${reason}); true`);
  });

  it('is denied to other bridges where they need an opening', () => {
    expect(ask({ guard: { ...ENFORCE, isBetween: true } }, '172.19.0.9').passes).toBe(false);
  });

  it('is closed by the ingress keys of its container, where they let nobody in there', () => {
    expect(waysOf(ask({ limited: 'the ingress keys of web (near)' }, OUTSIDE))[0]).toBe(
      '172.18.0.2 tcp/80: guard denies (nobody is let in at this port by the ingress keys of web (near)); false',
    );
  });

  it('names the operator who closed it', () => {
    const byHand = [{ kind: 'close', protocol: 'tcp', port: 80, from: 'anyone', since: 0 }] as const;
    expect(waysOf(ask({ byHand }, OUTSIDE))[0]).toContain('guard denies (closed by hand)');
  });

  it('names the callers for whom it was opened by hand, where those are of the other family', () => {
    const from = [prefix('2001:db8::/32')];
    const byHand = [{ kind: 'open', protocol: 'tcp', port: 80, from, since: 0 }] as const;
    expect(waysOf(ask({ byHand }, OUTSIDE))[0]).toContain(
      'guard denies (opened by hand only for 2001:db8::/32)',
    );
  });
});

describe('an open port', () => {
  it('passes with what opened it, to all or to some callers', () => {
    const some = [opening('172.18.0.2', 80, ['198.51.100.0/28'])];
    expect(waysOf(ask({ openings: some }, OUTSIDE))[0]).toBe(
      '172.18.0.2 tcp/80: guard passes (a test); true',
    );
    expect(waysOf(ask({ openings: some }, '198.51.100.99'))[0]).toBe(
      '172.18.0.2 tcp/80: guard denies (open only for 198.51.100.0/28: a test); false',
    );
    expect(ask({ openings: [opening('fd00:18::2', 80)] }, '2001:db8::7').passes).toBe(true);
  });

  it('is found at the end of a forward, or not where another container has the port', () => {
    const openings = [opening('172.18.0.2', 80)];
    const leads = ask({ openings, forwards: [forward(8080, '172.18.0.2', 80)] }, OUTSIDE);
    expect(waysOf(leads)[1]).toBe(
      'any address of this host, tcp/8080: forward passes (a test), guard passes (a test); true',
    );
    const taken = ask({ openings, forwards: [forward(8080, '172.18.0.3', 80)] }, OUTSIDE);
    expect(waysOf(taken)[1]).toContain('forward denies (the port leads to 172.18.0.3: a test); false');
  });
});

test('without an address in the caller’s family and without a published port there is no way', () => {
  expect(ask({}, '2001:db8::7', 'udp/53').ways.map(({ to }) => to)).toEqual(['fd00:18::2 udp/53']);
  const view = { ...viewOf({}), containers: [{ ...WEB, networks: [], ports: [] }] };
  if (view.rules === undefined) throw new Error('no rules');
  const asked = explainIn({ container: 'web', source: OUTSIDE, traffic: 'tcp/80' }, view, view.rules);
  expect(asked).toMatchObject({ ways: [], passes: false });
});

test.each([
  [OUTSIDE, 'icmp/8', 'passes (a port of this address is open, so echo requests pass)'],
  [OUTSIDE, 'icmp/13', 'denies (of ICMP only echo requests pass)'],
  ['2001:db8::7', 'icmpv6/128', 'denies (no port of this address is open, so echo requests are denied too)'],
  ['2001:db8::7', 'icmp/2', 'passes (neighbour discovery and errors about the size of packets always pass)'],
])('a message from %s by %s meets the guard of the address', (source, traffic, guard) => {
  const asked = waysOf(ask({ openings: [opening('172.18.0.2', 80)] }, source, traffic));
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain(`guard ${guard}`);
});

test.each([
  ['tcp', OUTSIDE],
  ['tcp/0', OUTSIDE],
  ['tcp/65536', OUTSIDE],
  ['icmp', OUTSIDE],
  ['icmp/8,9', OUTSIDE],
  ['icmpv6/128', OUTSIDE],
  ['icmp/256', OUTSIDE],
  ['80', OUTSIDE],
  ['tcp/80', 'web.example'],
])('%s of %s is no question', (traffic, source) => {
  expect(() => ask({}, source, traffic)).toThrow(/^expected /);
});

test('the answer about the host names containers, closed published ports, and what was done by hand', () => {
  const byHand = [
    { kind: 'open', protocol: 'udp', port: 53, from: [prefix('10.0.0.0/8')], since: 7 },
  ] as const;
  const answer = hostAnswer(
    viewOf({ openings: [opening('172.18.0.2', 443)], forwards: [forward(8080, '172.18.0.2', 80)], byHand }),
  );
  expect(answer).toMatchObject({
    state: 'loaded',
    guard: { mode: 'enforce', families: [4, 6], between: false },
    openings: [{ container: 'web', address: '172.18.0.2', protocol: 'tcp', port: 443, from: 'anyone' }],
    closed: [{ container: 'web', at: '0.0.0.0/0', protocol: 'tcp', port: 8080, containerPort: 80 }],
    forwards: [{ at: 'any address', port: 8080, to: '172.18.0.2', toPort: 80, container: 'web' }],
    byHand: [{ container: 'web', kind: 'open', protocol: 'udp', port: 53, from: ['10.0.0.0/8'], since: 7 }],
  });
});

test('a forward meets the passages through other firewalls before the guard', () => {
  const view = {
    ...viewOf({ openings: [opening('172.18.0.2', 80)], forwards: [forward(8080, '172.18.0.2', 80)] }),
    passages: {
      passages: [
        { tool: 'iptables-nft', chain: 'DOCKER-USER', state: 'kept' },
        { tool: 'iptables-legacy', chain: 'FORWARD', state: 'moved' },
        { tool: 'ip6tables-nft', chain: 'FORWARD', state: 'moved' },
      ],
      dropping: ['inet ufw forward', 'ip6 other forward'],
      ...{ lacking: ['ip6tables-legacy'], failing: [] },
    } as const,
  };
  if (view.rules === undefined) throw new Error('no rules');
  const { ways } = explainIn({ container: 'web', source: OUTSIDE, traffic: 'tcp/80' }, view, view.rules);
  expect(ways[1]?.gates.map(({ gate, outcome }) => `${gate}: ${outcome}`)).toEqual([
    'forward: passes',
    'iptables-nft DOCKER-USER: passes',
    'iptables-legacy FORWARD: unknown',
    'inet ufw forward: unknown',
    'guard: passes',
  ]);
});

describe('with networks.json', () => {
  const at = (index: number) => ({ path: `policies[${index}]`, line: 1, lines: {} });
  const permits = [permit('172.19.0.0/16', '172.18.0.2', '80-81'), permit('172.19.0.9', '172.18.0.2', '80')];
  const networks = { permits: permits.map((one, index) => ({ ...one, origin: at(index) })) };
  const gatesOf = (given: Given, source: string) =>
    ask(given, source).ways[0]?.gates.map(({ gate, outcome, reason }) => `${gate} ${outcome} (${reason})`);
  const given = { permits, networks, guard: { ...ENFORCE, isBetween: true } };

  it('each policy that lets a caller in is named, also by the guard', () => {
    expect(gatesOf(given, '172.19.0.9')).toEqual([
      'networks.json passes (policies[0] and policies[1] of networks.json)',
      expect.stringMatching(/^other firewalls unknown/),
      'guard passes (policies[0] and policies[1] of networks.json)',
    ]);
    expect(gatesOf(given, '172.19.0.8')?.[0]).toBe('networks.json passes (policies[0] of networks.json)');
  });

  it('it says that none lets a caller in, and that none needs to on the same network', () => {
    expect(gatesOf(given, OUTSIDE)).toEqual([
      expect.stringMatching(/^networks.json unknown \(no policy lets this call in/),
      expect.stringMatching(/^other firewalls/),
      'guard denies (no service is registered at this port)',
    ]);
    expect(gatesOf(given, '172.18.0.9')?.[0]).toMatch(/^networks.json passes \(no policy is needed/);
  });

  it('a port that leads elsewhere says where, and a device of this host is a way', () => {
    const led = { inside: 'web', device: undefined, protocol: 'tcp', port: 80, toPort: 90 } as const;
    const inner = [
      {
        container: 'web',
        addresses: [prefix('172.18.0.2')],
        forwards: [{ ...led, to: prefix('10.9.0.2'), origin: at(2) }],
      },
    ];
    const wg0 = forward(8000, '172.18.0.2', 80, { at: { kind: 'device', name: 'wg0' } });
    const { ways } = ask({ ...given, networks: { ...networks, inner }, forwards: [wg0] }, '172.19.0.9');
    expect(ways[0]?.gates.at(-1)).toEqual({
      ...{ gate: 'networks.json', outcome: 'passes' },
      reason: 'policies[2] of networks.json leads the port to 10.9.0.2 tcp/90',
    });
    expect(ways[1]).toMatchObject({ to: 'device wg0 of this host, tcp/8000', passes: true });
  });
});
