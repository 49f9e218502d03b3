import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Coverage } from '../../../src/domain/coverage.ts';
import { covers, intersect, normalize, type Range } from '../../../src/domain/ranges.ts';

const LAST = 40;
const someRange: fc.Arbitrary<Range> = fc
  .tuple(fc.nat({ max: LAST }), fc.nat({ max: 6 }))
  .map(([first, more]) => ({ first, last: Math.min(LAST, first + more) }));
const someRanges = fc.array(someRange, { maxLength: 12 });

const portsOf = (ranges: readonly Range[]): number[] =>
  [
    ...new Set(
      ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
    ),
  ].sort((a, b) => a - b);

const isNormal = (ranges: readonly Range[]): boolean =>
  ranges.every(({ first, last }, i) => first <= last && (i === 0 || first > (ranges[i - 1]?.last ?? 0) + 1));

describe('normalize', () => {
  it('sorts, and merges what overlaps or touches', () => {
    const messy = [
      { first: 90, last: 99 },
      { first: 80, last: 80 },
      { first: 81, last: 85 },
      { first: 95, last: 96 },
      { first: 80, last: 80 },
    ];
    expect(normalize(messy)).toEqual([
      { first: 80, last: 85 },
      { first: 90, last: 99 },
    ]);
  });

  it('keeps the set and makes it normal', () => {
    fc.assert(
      fc.property(someRanges, (ranges) => {
        const normal = normalize(ranges);
        expect(isNormal(normal)).toBe(true);
        expect(portsOf(normal)).toEqual(portsOf(ranges));
        expect(normalize(normal)).toBe(normal);
      }),
    );
  });

  it('leaves its input as it was', () => {
    const input = Object.freeze([Object.freeze({ first: 5, last: 9 }), Object.freeze({ first: 1, last: 6 })]);
    expect(normalize(input)).toEqual([{ first: 1, last: 9 }]);
  });
});

describe('normal lists', () => {
  it('intersect to the common ports', () => {
    fc.assert(
      fc.property(someRanges, someRanges, (a, b) => {
        const common = intersect(normalize(a), normalize(b));
        expect(isNormal(common)).toBe(true);
        expect(portsOf(common)).toEqual(portsOf(a).filter((port) => portsOf(b).includes(port)));
      }),
    );
  });

  it('tell what they cover', () => {
    fc.assert(
      fc.property(someRanges, someRange, (ranges, range) => {
        const here = portsOf(ranges);
        expect(covers(normalize(ranges), range)).toBe(portsOf([range]).every((port) => here.includes(port)));
      }),
    );
  });
});

describe('Coverage', () => {
  const whole: Range = { first: 0, last: 65_535 };
  const wide: fc.Arbitrary<Range> = fc
    .tuple(fc.nat({ max: 65_535 }), fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 65_535 })))
    .map(([first, more]) => ({ first, last: Math.min(65_535, first + more) }));

  it('has nothing at first, and all of it once all is added', () => {
    const coverage = new Coverage();
    expect(coverage.free(whole, 1)).toEqual([whole]);
    coverage.add(whole);
    expect(coverage.free(whole, 1)).toEqual([]);
    coverage.remove(whole);
    expect(coverage.free(whole, 1)).toEqual([whole]);
  });

  it('gives up where more parts are free than asked for', () => {
    const coverage = new Coverage();
    for (const port of [10, 20, 30]) coverage.add({ first: port, last: port });
    expect(coverage.free({ first: 5, last: 35 }, 3)).toBeUndefined();
    expect(coverage.free({ first: 5, last: 35 }, 4)).toHaveLength(4);
    expect(coverage.free({ first: 10, last: 30 }, 2)).toEqual([
      { first: 11, last: 19 },
      { first: 21, last: 29 },
    ]);
  });

  it('knows what is free after adding, and the same as before after taking back', () => {
    fc.assert(
      fc.property(fc.array(wide, { maxLength: 12 }), wide, (added, asked) => {
        const coverage = new Coverage();
        const states: unknown[] = [];
        const undo: Range[][] = [];
        for (const [index, range] of added.entries()) {
          states.push(coverage.free(asked, 99));
          const free = coverage.free(range, 99) ?? [];
          for (const part of free) coverage.add(part);
          undo.push(free);
          expect(coverage.free(asked, 99)).toEqual(without(asked, added.slice(0, index + 1)));
        }
        for (const parts of undo.toReversed()) {
          for (const part of parts) coverage.remove(part);
          expect(coverage.free(asked, 99)).toEqual(states.pop());
        }
      }),
    );
  });
});

/** The parts of a range outside of others, found by cutting one after the other. */
const without = (range: Range, others: readonly Range[]): Range[] =>
  others
    .reduce<Range[]>(
      (parts, other) =>
        parts.flatMap((part) =>
          [
            { first: part.first, last: Math.min(part.last, other.first - 1) },
            { first: Math.max(part.first, other.last + 1), last: part.last },
          ].filter(({ first, last }) => first <= last),
        ),
      [range],
    )
    .sort((a, b) => a.first - b.first);
