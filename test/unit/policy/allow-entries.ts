/**
 * Random entries for property tests, and the naive matcher they are judged by. The universes are
 * small on purpose: 16 hosts and some ports per family collide in every way that matters.
 */
import fc from 'fast-check';
import { contains, type Family, type Prefix, prefixOf, WIDTH } from '../../../src/net/address.ts';
import type { Range } from '../../../src/policy/rule.ts';
import type { AllowEntry, RuleSet } from '../../../src/policy/rule-set.ts';
import type { Protocol } from '../../../src/policy/traffic.ts';

export interface Point {
  readonly host: Prefix;
  readonly protocol: Protocol;
  readonly port: number;
}

/** Where each family's 16 hosts are: the IPv6 ones are /64 networks apart, to cross the middle. */
const PLACES: Readonly<Record<Family, { base: bigint; step: bigint; length: number }>> = {
  4: { base: 0x0a00_0010n, step: 1n, length: 32 },
  6: { base: 0x2001_0db8n << 96n, step: 1n << 64n, length: 64 },
};

const LAST_PORT = 24;

export const families: fc.Arbitrary<Family> = fc.constantFrom(4, 6);
export const protocols: fc.Arbitrary<Protocol> = fc.constantFrom('tcp', 'udp', 'icmp');

const hosts: fc.Arbitrary<Prefix> = fc
  .tuple(families, fc.bigInt(0n, 15n))
  .map(([family, index]) =>
    prefixOf(family, PLACES[family].base + index * PLACES[family].step, WIDTH[family]),
  );

/** Prefixes that hold 1, 2, 4, 8 or 16 of the places, and now and then everything. */
const prefixes: fc.Arbitrary<Prefix> = fc
  .tuple(hosts, fc.constantFrom(0, 0, 1, 1, 2, 3, 4, 200))
  .map(([{ family, address }, bits]) => prefixOf(family, address, Math.max(0, PLACES[family].length - bits)));

const ports: fc.Arbitrary<number> = fc.nat({ max: LAST_PORT });

const ranges: fc.Arbitrary<Range> = fc
  .tuple(ports, fc.oneof(fc.constant(0), fc.nat({ max: LAST_PORT })))
  .map(([first, more]) => ({ first, last: Math.min(LAST_PORT, first + more) }));

export const entries: fc.Arbitrary<AllowEntry> = fc.record({
  prefix: prefixes,
  protocol: fc.constantFrom<Protocol>('tcp', 'tcp', 'tcp', 'udp', 'icmp'),
  ranges: fc.array(ranges, { minLength: 1, maxLength: 4 }),
});

/** Combs of many single ports beneath and above wide ranges: what needs further layers. */
const combs: fc.Arbitrary<AllowEntry> = fc.record({
  prefix: prefixes,
  protocol: fc.constant<Protocol>('tcp'),
  ranges: fc
    .tuple(fc.nat({ max: 200 }), fc.integer({ min: 2, max: 40 }), fc.integer({ min: 2, max: 9 }))
    .map(([start, teeth, distance]): Range[] =>
      Array.from({ length: teeth }, (_, tooth) => ({
        first: start + tooth * distance,
        last: start + tooth * distance + (distance > 4 ? distance - 2 : 0),
      })),
    ),
});

/** What collides a lot, and often needs further layers. */
export const adverse: fc.Arbitrary<AllowEntry[]> = fc.array(fc.oneof(entries, combs), { maxLength: 40 });

export const points: fc.Arbitrary<Point> = fc.record({ host: hosts, protocol: protocols, port: ports });

/** Whether any of the entries contains the point. */
export const naive = (allowed: readonly AllowEntry[], { host, protocol, port }: Point): boolean =>
  allowed.some(
    (one) =>
      one.protocol === protocol &&
      contains(one.prefix, host) &&
      one.ranges.some(({ first, last }) => first <= port && port <= last),
  );

/** Every point of the small universe. */
export const everyPoint = (lastPort = LAST_PORT): Point[] =>
  ([4, 6] as const).flatMap((family) =>
    Array.from({ length: 16 }, (_, index) =>
      prefixOf(family, PLACES[family].base + BigInt(index) * PLACES[family].step, WIDTH[family]),
    ).flatMap((host) =>
      (['tcp', 'udp', 'icmp'] as const).flatMap((protocol) =>
        Array.from({ length: lastPort + 1 }, (_, port) => ({ host, protocol, port })),
      ),
    ),
  );

/** The elements of a rule set as entries. */
export const asEntries = (ruleSet: RuleSet): AllowEntry[] =>
  ruleSet.layers.flat().map(({ prefix, protocol, range }) => ({ prefix, protocol, ranges: [range] }));

/** The ranges of all entries: the measure of their size. */
export const rangesOf = (allowed: readonly AllowEntry[]): number =>
  allowed.reduce((sum, one) => sum + one.ranges.length, 0);

/** Milliseconds of processor time, which other work on the machine does not add to. */
export const cpuTime = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
};
