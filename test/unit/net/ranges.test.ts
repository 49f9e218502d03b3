import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, intersect, normalize, type Range } from '../../../src/net/ranges.ts';

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
