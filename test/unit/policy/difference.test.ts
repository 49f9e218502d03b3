/** Differences of sets that were made to be hard: exact or marked, and never more than a few times the input. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../../src/common/slices.ts';
import { isFor } from '../../../src/diagnostics/destination.ts';
import { contains, type Prefix, parsePrefix } from '../../../src/net/address.ts';
import { CoveredPorts } from '../../../src/net/covered-ports.ts';
import type { Range } from '../../../src/net/ranges.ts';
import * as policy from '../../../src/policy/difference.ts';
import { type AllowEntry, canonical } from '../../../src/policy/rule-set.ts';
import { allows } from './rule-sets.ts';

const difference = (...sides: Parameters<typeof policy.difference>) => atOnce(policy.difference(...sides));

const prefixOf = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};
const hostOf = (number: number, length = 32): Prefix =>
  prefixOf(`10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}/${length}`);
const tcp = (prefix: Prefix, first: number, last = first): AllowEntry => ({
  ...{ prefix, protocol: 'tcp' },
  ranges: [{ first, last }],
});

describe('with few details', () => {
  const most = { holes: 2, ranges: 2 };
  const small = fc
    .tuple(fc.nat(31), fc.integer({ min: 27, max: 32 }), fc.nat(9), fc.nat(9))
    .map(([host, length, a, b]) => tcp(hostOf(host, length), Math.min(a, b), Math.max(a, b)));
  const points = Array.from({ length: 32 }, (_, host) => hostOf(host)).flatMap((host) =>
    Array.from({ length: 11 }, (_, port) => ({ host, port, protocol: 'tcp' as const })),
  );
  const holds =
    ({ host, port, protocol }: (typeof points)[number]) =>
    ({ prefix, ...traffic }: policy.Difference): boolean =>
      contains(prefix, host) && isFor({ prefix, ...traffic }, { host, port, protocol });

  test('nothing is left out, and what is not marked is exact', () => {
    const some = fc.array(small, { maxLength: 16 });
    fc.assert(
      fc.property(some, some, (plus, minus) => {
        const found = difference(plus, minus, most);
        const [all, taken] = [canonical(plus), canonical(minus)];
        for (const point of points) {
          const inPlus = allows(all, point.host, 'tcp', point.port);
          const left = inPlus && !allows(taken, point.host, 'tcp', point.port);
          const telling = found.filter(holds(point));
          expect(telling.length > 0 || !left).toBe(true);
          expect(telling.length === 0 || inPlus).toBe(true);
          expect(left || telling.every(({ partly }) => partly)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('of hard input', () => {
  const most = { holes: 16, ranges: 64 };
  /** What a person would have to read: prefixes × ranges. */
  const lengthOf = (found: readonly AllowEntry[]): number =>
    found.reduce((sum, { ranges }) => sum + ranges.length, 0);
  const hard = fc.array(
    fc
      .tuple(fc.nat(2 ** 24 - 1), fc.constantFrom(8, 9, 16, 24, 28, 32), fc.nat(65_535), fc.nat(3_000))
      .map(([host, length, first, size]) => tcp(hostOf(host, length), first, Math.min(65_535, first + size))),
    { minLength: 1, maxLength: 400, size: 'max' },
  );

  test('no more is told than a bounded part of each line', () => {
    fc.assert(
      fc.property(hard, hard, (plus, minus) => {
        const pieces = lengthOf(difference(plus, minus, most));
        expect(pieces).toBeLessThan(100 * (plus.length + minus.length));
      }),
      { numRuns: 100 },
    );
  });

  const MANY = 10_000;
  const numbers = Array.from({ length: MANY }, (_, number) => number);
  const ranges = (length: number) => numbers.map((n) => tcp(hostOf(0, length), 1 + 6 * n, 3 + 6 * n));
  const ports = numbers.map((n) => tcp(hostOf(2 * n + 1), 2 + 6 * n));
  const hosts = numbers.map((n) => tcp(hostOf(2 * n + 1), 0, 65_535));
  const chain = numbers.map((n) => tcp(hostOf(n << 4, 8 + (n % 25)), n, 65_535 - n));

  // Work that grows with the product of both sides would take minutes here.
  test.each([
    ['ranges without ports of hosts', ranges(8), ports],
    ['ports of hosts without ranges', ports, ranges(8)],
    ['ranges without whole hosts', ranges(8), hosts],
    ['whole hosts without ranges', hosts, ranges(8)],
    ['nested prefixes without ranges', chain, ranges(9)],
    ['ranges without nested prefixes', ranges(8), chain],
    ['ranges and ports without ranges', [...ranges(8), ...ports], ranges(9)],
  ] as const)('%s', (_name, plus, minus) => {
    const pieces = difference(plus, minus, most);
    expect(lengthOf(pieces)).toBeLessThan(100 * MANY);
  });
});

test('covered ports are counted, and gaps are what nobody covers', () => {
  const range: fc.Arbitrary<Range> = fc
    .tuple(fc.nat(65_535), fc.oneof(fc.nat(20), fc.nat(65_535)))
    .map(([first, size]) => ({ first, last: Math.min(65_535, first + size) }));
  fc.assert(
    fc.property(fc.array(range), fc.array(range), range, (added, kept, asked) => {
      const cover = new CoveredPorts();
      for (const one of [...added, ...kept]) cover.add(one);
      for (const one of added) cover.remove(one);
      const gaps = cover.gaps(asked, Number.POSITIVE_INFINITY);
      const isFree = (port: number) => !kept.some(({ first, last }) => first <= port && port <= last);
      const edges = [asked, ...kept].flatMap(({ first, last }) => [first - 1, first, last, last + 1]);
      for (const port of edges.filter((one) => asked.first <= one && one <= asked.last))
        expect(gaps?.some(({ first, last }) => first <= port && port <= last)).toBe(isFree(port));
      expect(gaps?.every(({ last }, index) => last + 1 < (gaps[index + 1]?.first ?? 1e6))).toBe(true);
      expect(cover.gaps(asked, (gaps?.length ?? 0) - 1)).toBeUndefined();
    }),
  );
});
