import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostClaims } from '../../../../src/features/host/canonical.ts';
import { canonicalHost } from '../../../../src/features/host/canonical.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { bridge, forward, NO_CLAIMS, opening, prefix } from '../../../support/host-claims.ts';

const canonical = (claims: Partial<HostClaims>) => canonicalHost({ ...NO_CLAIMS, ...claims });
const since = (text: string, year: number) => ({ origin: { text, since: `${year}-01-01T00:00:00Z` } });

describe('two claims to one port', () => {
  it('become a problem that names both, and the older one keeps the port', () => {
    const claims = [
      forward(80, '172.18.0.3', 80, since('the younger', 2026)),
      forward(80, '172.18.0.2', 80, since('the older', 2025)),
    ];
    for (const forwards of [claims, claims.toReversed()]) {
      const { rules, problems } = canonical({ forwards });
      expect(rules.forwards.map(({ to }) => formatPrefix(to))).toEqual(['172.18.0.2']);
      expect(problems.map(({ reason }) => reason)).toEqual([
        'port tcp/80 of this host (any address) is claimed twice: the older keeps it, the younger does not get it; publish another port',
      ]);
    }
  });

  it('are none with the same target, or at different addresses, protocols or families', () => {
    const at = { kind: 'address', address: prefix('198.51.100.1') } as const;
    const forwards = [
      ...[forward(80, '172.18.0.2', 80), forward(80, '172.18.0.2', 80)],
      forward(80, '172.18.0.3', 80, { at }),
      forward(80, '172.18.0.3', 80, { protocol: 'udp' }),
      forward(80, 'fd00::3', 80),
    ];
    const { rules, problems } = canonical({ forwards });
    expect(problems).toEqual([]);
    expect(rules.forwards).toHaveLength(4);
  });
});

describe('openings of one port', () => {
  const sources = (...openings: Parameters<typeof opening>[2][]) =>
    canonical({ openings: openings.map((from) => opening('172.18.0.2', 80, from)) }).rules.openings.map(
      ({ from }) => (from === 'anyone' ? from : from.map(formatPrefix)),
    );

  it('are one, and the broadest sources count', () => {
    expect(sources(['10.0.0.0/8'], ['10.1.0.0/16', '192.0.2.1'])).toEqual([['10.0.0.0/8', '192.0.2.1']]);
    expect(sources(['10.0.0.0/8'], 'anyone')).toEqual(['anyone']);
  });
});

describe("ports of Docker's proxy", () => {
  const proxied = (at: string, from: 'anyone' | 'nobody') =>
    ({ at: prefix(at), protocol: 'tcp', port: 80, from }) as const;

  it('on all addresses take single addresses in', () => {
    const { rules } = canonical({
      proxied: [proxied('198.51.100.1', 'anyone'), proxied('0.0.0.0/0', 'nobody'), proxied('::/0', 'nobody')],
    });
    expect(rules.proxied).toEqual([proxied('0.0.0.0/0', 'anyone'), proxied('::/0', 'nobody')]);
  });

  it('on single addresses stay apart', () => {
    const both = [proxied('198.51.100.1', 'anyone'), proxied('198.51.100.2', 'nobody')];
    expect(canonical({ proxied: both.toReversed() }).rules.proxied).toEqual(both);
  });
});

it('the order of claims changes nothing', () => {
  const port = fc.integer({ min: 1, max: 3 });
  const address = fc.constantFrom('172.18.0.2', '172.18.0.3', 'fd00::2');
  const claims = fc.record({
    openings: fc.array(fc.tuple(address, port).map(([to, one]) => opening(to, one))),
    forwards: fc.array(
      fc
        .tuple(port, address, port, fc.integer({ min: 2020, max: 2026 }))
        .map(([one, to, other, year]) => forward(one, to, other, since(`${to} ${year}`, year))),
    ),
    bridges: fc.constant([bridge('br-b', '172.18.0.0/16', 'fd00::/64'), bridge('br-a', '172.19.0.0/16')]),
  });
  fc.assert(
    fc.property(claims, ({ openings, forwards, bridges }) => {
      const reversed = {
        openings: openings.toReversed(),
        forwards: forwards.toReversed(),
        bridges: bridges.toReversed(),
      };
      expect(canonical(reversed)).toEqual(canonical({ openings, forwards, bridges }));
    }),
  );
});
