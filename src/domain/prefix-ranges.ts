/**
 * From allowances to one set of ports per prefix, in the form that depends on what is allowed and
 * not on how it was written: what both halves of a prefix have belongs to the prefix.
 */
import { compareAddresses, comparePrefixes, type Prefix, WIDTH } from './address.ts';
import { intersect, normalize, type Range } from './ranges.ts';

/** The ports of one prefix, as a normal list. */
export interface PrefixRanges {
  readonly prefix: Prefix;
  readonly ranges: readonly Range[];
}

/**
 * One entry per prefix, sorted by address, the broader first. All of one family.
 *
 * Works by sorting and not by a `Map` of addresses: V8 hashes a bigint by its low 64 bits, which
 * are zero in all IPv6 prefixes up to /64.
 */
export const gather = (entries: readonly PrefixRanges[]): PrefixRanges[] => {
  const levels = Map.groupBy(entries, ({ prefix }) => prefix.length);
  const gathered: PrefixRanges[][] = [];
  let promoted: PrefixRanges[] = [];
  for (let length = Math.max(-1, ...levels.keys()); length >= 0; length--) {
    const level = [...(levels.get(length) ?? []), ...promoted];
    const fused = fuse(level.sort((a, b) => compareAddresses(a.prefix, b.prefix)));
    gathered.push(fused);
    promoted = promote(fused);
  }
  return gathered.flat().sort((a, b) => comparePrefixes(a.prefix, b.prefix));
};

/** Entries of equal prefixes, which are neighbours, become one. */
const fuse = (level: readonly PrefixRanges[]): PrefixRanges[] => {
  const fused: PrefixRanges[] = [];
  for (let start = 0, end = 0; start < level.length; start = end) {
    const address = level[start]?.prefix.address;
    while (level[end]?.prefix.address === address && end < level.length) end++;
    const [first, ...more] = level.slice(start, end);
    if (first === undefined) break;
    const ranges = [first, ...more].flatMap((entry) => entry.ranges);
    fused.push({ prefix: first.prefix, ranges: normalize(ranges) });
  }
  return fused;
};

/** What both halves of a parent have. Halves are neighbours in the sorted level. */
const promote = (level: readonly PrefixRanges[]): PrefixRanges[] => {
  const promoted: PrefixRanges[] = [];
  for (const [index, upper] of level.entries()) {
    const lower = level[index - 1];
    if (lower === undefined || !areHalves(lower.prefix, upper.prefix)) continue;
    const ranges = intersect(lower.ranges, upper.ranges);
    const prefix = { ...lower.prefix, length: lower.prefix.length - 1 };
    if (ranges.length > 0) promoted.push({ prefix, ranges });
  }
  return promoted;
};

/** For two prefixes of equal length in ascending order. */
const areHalves = (lower: Prefix, upper: Prefix): boolean => {
  if (lower.length === 0) return false;
  const size = 1n << BigInt(WIDTH[lower.family] - lower.length);
  return upper.address - lower.address === size && (lower.address & size) === 0n;
};
