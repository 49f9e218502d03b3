import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, splitPrefix, WIDTH } from '../../../src/net/address.ts';
import { type AllowEntry, canonical, type Element, type RuleSet } from '../../../src/policy/rule-set.ts';
import { adverse, asEntries, entries, everyPoint, naive, points, rangesOf } from './allow-entries.ts';
import { allows, serialize } from './rule-sets.ts';

const some = fc.array(entries, { maxLength: 14 });

const overlap = (a: Element, b: Element): boolean =>
  a.protocol === b.protocol &&
  (contains(a.prefix, b.prefix) || contains(b.prefix, a.prefix)) &&
  a.range.first <= b.range.last &&
  b.range.first <= a.range.last;

const overlapping = (ruleSet: RuleSet): (readonly [Element, Element])[] =>
  ruleSet.layers.flatMap((layer) =>
    layer.flatMap((a, index) =>
      layer.slice(index + 1).flatMap((b) => (overlap(a, b) ? [[a, b] as const] : [])),
    ),
  );

describe('for any entries, the canonical form', () => {
  it('allows the same, point by point', () => {
    fc.assert(
      fc.property(adverse, fc.array(points, { minLength: 30, maxLength: 30 }), (allowed, asked) => {
        const ruleSet = canonical(allowed);
        for (const point of asked)
          expect([point, allows(ruleSet, point.host, point.protocol, point.port)]).toEqual([
            point,
            naive(allowed, point),
          ]);
      }),
      { numRuns: 300 },
    );
  });

  it('allows the same at every single point', () => {
    const all = everyPoint();
    const differs = (allowed: readonly AllowEntry[], flat: readonly AllowEntry[]) =>
      all.find((point) => naive(allowed, point) !== naive(flat, point));
    fc.assert(
      fc.property(some, (allowed) => {
        expect(differs(allowed, asEntries(canonical(allowed)))).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('has no overlaps within a layer', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        expect(overlapping(canonical(allowed))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order', () => {
    const shuffled = adverse.chain((allowed) =>
      fc.tuple(fc.constant(allowed), fc.shuffledSubarray(allowed, { minLength: allowed.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(serialize(canonical(other))).toBe(serialize(canonical(one)));
      }),
    );
  });

  it('is its own canonical form, where one layer holds it', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const ruleSet = canonical(allowed);
        if (ruleSet.layers.length < 2) expect(canonical(asEntries(ruleSet))).toEqual(ruleSet);
      }),
      { numRuns: 300 },
    );
  });

  it('depends on what is allowed and not on how it is written, where one layer holds it', () => {
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.boolean()), (allowed, coins) => {
        const rewritten = allowed.flatMap((one) => pieces(one, () => coins.next().value === true));
        const [one, other] = [canonical(allowed), canonical([...rewritten].reverse())];
        if (one.layers.length < 2 && other.layers.length < 2) expect(other).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  it('stays small, in few layers', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const { layers } = canonical(allowed);
        expect(layers.flat().length).toBeLessThanOrEqual(8 * rangesOf(allowed));
        expect(layers.length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 300 },
    );
  });
});

/** The same entry in several: halves of the prefix, and the ports apart. */
const pieces = (one: AllowEntry, coin: () => boolean): AllowEntry[] => {
  if (one.prefix.length < WIDTH[one.prefix.family] && coin())
    return splitPrefix(one.prefix).flatMap((half) => pieces({ ...one, prefix: half }, coin));
  return one.ranges.flatMap(({ first, last }) => {
    const cut =
      first < last && coin()
        ? [
            { first, last: first },
            { first: first + 1, last },
          ]
        : [{ first, last }];
    return cut.map((range) => ({ ...one, ranges: [range] }));
  });
};
