import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreePorts } from '../../../src/net/free-ports.ts';
import type { Range } from '../../../src/net/ranges.ts';

describe('Coverage', () => {
  const whole: Range = { first: 0, last: 65_535 };
  const wide: fc.Arbitrary<Range> = fc
    .tuple(fc.nat({ max: 65_535 }), fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 65_535 })))
    .map(([first, more]) => ({ first, last: Math.min(65_535, first + more) }));

  it('has nothing at first, and all of it once all is added', () => {
    const coverage = new FreePorts();
    expect(coverage.free(whole, 1)).toEqual([whole]);
    coverage.add(whole);
    expect(coverage.free(whole, 1)).toEqual([]);
    coverage.remove(whole);
    expect(coverage.free(whole, 1)).toEqual([whole]);
  });

  it('gives up where more parts are free than asked for', () => {
    const coverage = new FreePorts();
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
        const coverage = new FreePorts();
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
