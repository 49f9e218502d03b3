/**
 * Who may reach whom across networks, as boxes of callers, called addresses and ports that do not overlap: the kernel's
 * set takes no overlaps.
 */
import { comparePrefixes, contains, type Prefix, splitPrefix, WIDTH } from '../../net/address.ts';
import { PrefixIndex } from '../../net/prefix-index.ts';
import { normalize, type Range } from '../../net/ranges.ts';
import type { Permit } from './model.ts';

/** Sorted, the broadest first. Equal permits in another order have the same result. */
export function disjointPermits(permits: readonly Permit[]): readonly Permit[] {
  const kept: Permit[] = [];
  for (const group of Map.groupBy(permits, ({ protocol }) => protocol).values()) {
    const index = new PrefixIndex<Permit>();
    for (const permit of unitedPorts(group).toSorted(broadestFirst)) {
      // As the broadest come first, only those around its target can overlap it.
      const around = index.around(permit.to).filter((other) => isCommon(permit, other));
      const rest = around.reduce<readonly Permit[]>(
        (parts, other) => parts.flatMap((part) => without(part, other)),
        [permit],
      );
      for (const part of rest) index.add(part.to, part);
      kept.push(...rest);
    }
  }
  return kept.toSorted(inOrder);
}

/** Ports of one pair that touch become one range. */
function unitedPorts(permits: readonly Permit[]): readonly Permit[] {
  const pairs = Map.groupBy(permits, ({ from, to }) => `${textOf(from)} ${textOf(to)}`);
  return [...pairs.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const ranges = normalize([first, ...others].map(({ range }) => range));
    return ranges.map((range) => ({ ...first, range }));
  });
}

const textOf = ({ family, address, length }: Prefix): string => `${family} ${address} ${length}`;

const broadestFirst = (one: Permit, other: Permit): number =>
  one.to.length - other.to.length || one.from.length - other.from.length || inOrder(one, other);

const inOrder = (one: Permit, other: Permit): number =>
  comparePrefixes(one.to, other.to) ||
  comparePrefixes(one.from, other.from) ||
  (one.protocol < other.protocol ? -1 : one.protocol > other.protocol ? 1 : 0) ||
  one.range.first - other.range.first;

/** Whether two with a common target have callers and ports in common. Thousands may have one target, so it must be quick. */
const isCommon = ({ from, range }: Permit, other: Permit): boolean =>
  range.first <= other.range.last &&
  other.range.first <= range.last &&
  (from.address ^ other.from.address) >>
    BigInt(WIDTH[from.family] - Math.min(from.length, other.from.length)) ===
    0n;

/** What of a permit another one does not have, whose targets include those of the permit. */
function without(permit: Permit, other: Permit): readonly Permit[] {
  const common = commonOf(permit.range, other.range);
  if (common === undefined || !isCommon(permit, other)) return [permit];
  const outside = [
    { first: permit.range.first, last: common.first - 1 },
    { first: common.last + 1, last: permit.range.last },
  ].filter(({ first, last }) => first <= last);
  return [
    ...outside.map((range) => ({ ...permit, range })),
    ...prefixesAround(permit.from, other.from).map((from) => ({ ...permit, from, range: common })),
  ];
}

function commonOf(one: Range, other: Range): Range | undefined {
  const [first, last] = [Math.max(one.first, other.first), Math.min(one.last, other.last)];
  return first <= last ? { first, last } : undefined;
}

/** The parts of a prefix beside a hole in it; none if the hole is all of it. */
function prefixesAround(prefix: Prefix, hole: Prefix): readonly Prefix[] {
  if (contains(hole, prefix)) return [];
  const [lower, upper] = splitPrefix(prefix);
  return contains(lower, hole)
    ? [...prefixesAround(lower, hole), upper]
    : [lower, ...prefixesAround(upper, hole)];
}
