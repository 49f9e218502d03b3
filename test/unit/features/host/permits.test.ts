/**
 * Permits as elements of one set of the kernel: none overlaps another, and all that was permitted still is.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Permit } from '../../../../src/features/host/model.ts';
import { disjointPermits } from '../../../../src/features/host/permits.ts';
import { contains, formatPrefix, type Prefix, prefixOf } from '../../../../src/net/address.ts';
import { permit } from '../../../support/host-claims.ts';

const texts = (permits: readonly Permit[]) =>
  disjointPermits(permits).map(
    ({ from, to, protocol, range: { first, last } }) =>
      `${formatPrefix(from)} ${formatPrefix(to)} ${protocol} ${first}-${last}`,
  );

describe('permits', () => {
  it('of one pair are joined, and those in broader ones go', () => {
    expect(texts([permit('10.0.0.1', '10.1.0.1', '80'), permit('10.0.0.1', '10.1.0.1', '81-90')])).toEqual([
      '10.0.0.1 10.1.0.1 tcp 80-90',
    ]);
    expect(
      texts([permit('10.0.0.0/8', '10.1.0.0/16', '1-90'), permit('10.0.0.1', '10.1.0.1', '80')]),
    ).toEqual(['10.0.0.0/8 10.1.0.0/16 tcp 1-90']);
  });

  it('that cross are split', () => {
    expect(
      texts([permit('10.0.0.0/30', '10.1.0.1', '80'), permit('10.0.0.1', '10.1.0.0/30', '80-81')]),
    ).toEqual([
      '10.0.0.1 10.1.0.0/30 tcp 80-81',
      '10.0.0.0 10.1.0.1 tcp 80-80',
      '10.0.0.2/31 10.1.0.1 tcp 80-80',
    ]);
  });

  const small = fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 29, max: 32 }))
    .map(([address, length]) => prefixOf(4, BigInt(address), length));
  const port = fc.integer({ min: 1, max: 6 });
  const random: fc.Arbitrary<Permit> = fc
    .tuple(small, small, fc.constantFrom('tcp', 'udp'), port, port)
    .map(([from, to, protocol, one, other]) => ({
      ...{ from, to, protocol, origin: { text: '', since: '' } },
      range: { first: Math.min(one, other), last: Math.max(one, other) },
    }));

  interface Packet {
    readonly from: Prefix;
    readonly to: Prefix;
    readonly protocol: string;
    readonly port: number;
  }

  const HOSTS = Array.from({ length: 8 }, (_, address) => prefixOf(4, BigInt(address), 32));
  const PACKETS: readonly Packet[] = HOSTS.flatMap((from) =>
    HOSTS.flatMap((to) =>
      ['tcp', 'udp'].flatMap((protocol) =>
        [1, 2, 3, 4, 5, 6].map((at) => ({ from, to, protocol, port: at })),
      ),
    ),
  );

  /** How many of the permits let a packet pass. */
  const count = (permits: readonly Permit[], packet: Packet) =>
    permits.filter(
      ({ from, to, protocol, range: { first, last } }) =>
        protocol === packet.protocol &&
        contains(from, packet.from) &&
        contains(to, packet.to) &&
        first <= packet.port &&
        packet.port <= last,
    ).length;

  it('let pass what they did, each packet by one of them, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(random, { maxLength: 12 }), (permits) => {
        const disjoint = disjointPermits(permits);
        expect(texts(permits.toReversed())).toEqual(texts(permits));
        const wrong = PACKETS.filter(
          (packet) => count(disjoint, packet) !== Math.min(1, count(permits, packet)),
        );
        expect(wrong).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
