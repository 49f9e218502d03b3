import { describe, expect, test } from 'vitest';
import type { Prefix } from '../../../src/net/address.ts';
import { type AllowEntry, canonical, type RuleSet } from '../../../src/policy/rule-set.ts';
import { cpuTime, rangesOf } from './allow-entries.ts';

describe('an adverse rule set', () => {
  const comb = (teeth: number, first = 1) =>
    Array.from({ length: teeth }, (_, tooth) => ({ first: first + 2 * tooth, last: first + 2 * tooth }));
  const wide = [{ first: 1, last: 65_535 }];
  const v4 = (address: number, length: number): Prefix => ({ family: 4, address: BigInt(address), length });
  const ten = 10 * 2 ** 24;
  const tcp = (at: Prefix, ranges: AllowEntry['ranges']): AllowEntry => ({
    prefix: at,
    protocol: 'tcp',
    ranges,
  });
  const spread = (count: number, length: number): AllowEntry[] =>
    Array.from({ length: count }, (_, index) => tcp(v4(ten + index * 512, length), wide));

  /** Siblings all the way up, each with gaps elsewhere: promotion happens 128 times over. */
  const staircase = Array.from({ length: 128 }, (_, step) =>
    tcp(
      { family: 6, address: step === 0 ? 0n : 1n << BigInt(step - 1), length: 129 - Math.max(step, 1) },
      Array.from({ length: 128 }, (_, gap) => ({
        first: gap * 512 + 2 * step,
        last: Math.min(65_535, gap * 512 + 2 * step + 510),
      })),
    ),
  );

  test.each<[string, AllowEntry[]]>([
    ['a comb above 10,000 wide ranges', [tcp(v4(ten, 8), comb(10_000)), ...spread(10_000, 32)]],
    [
      'a comb above 10,000 nested pairs',
      [tcp(v4(ten, 8), comb(32_767)), ...spread(10_000, 24), ...spread(10_000, 32)],
    ],
    [
      'two combs that close each other, above 10,000 wide ranges',
      [tcp(v4(ten, 8), comb(32_767)), tcp(v4(ten, 9), comb(32_767, 2)), ...spread(10_000, 32)],
    ],
    [
      'a chain of /1 to /128',
      Array.from({ length: 128 }, (_, index) =>
        tcp({ family: 6, address: 0n, length: index + 1 }, comb(256, 1 + 512 * index)),
      ),
    ],
    ['a staircase of siblings', staircase],
    [
      '20,000 networks of 64 bits, whose low halves are all zero',
      Array.from({ length: 20_000 }, (_, index) =>
        tcp({ family: 6, address: BigInt(3 * index) << 64n, length: 64 }, wide),
      ),
    ],
    [
      'one prefix 50,000 times',
      Array.from({ length: 50_000 }, (_, index) =>
        tcp(v4(ten, 8), [{ first: index, last: 60_000 - (index % 7) }]),
      ),
    ],
  ])('%s: is made quickly and stays linear', (_, allowed) => {
    let ruleSet: RuleSet = { layers: [] };
    const used = cpuTime(() => {
      ruleSet = canonical(allowed);
    });
    expect(used).toBeLessThan(15_000);
    const { layers } = ruleSet;
    expect(layers.flat().length).toBeLessThanOrEqual(4 * rangesOf(allowed));
    expect(layers.length).toBeLessThanOrEqual(6);
  });
});
