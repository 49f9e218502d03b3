/**
 * Merges allowed entries into one set of ports per prefix. The form depends on what is allowed, not on how it was
 * written: ports that both halves of a prefix have belong to the prefix.
 */
import { compareAddresses, comparePrefixes, type Prefix, sizeOf } from './address.ts';
import { intersect, normalize, type Range } from './ranges.ts';

/** The ports of one prefix, as a normal list. */
export interface PrefixPorts {
  readonly prefix: Prefix;
  readonly ranges: readonly Range[];
}

/**
 * One entry per prefix, sorted by address, the broader first. All of one family.
 *
 * Works by sorting and not by a `Map` of addresses: V8 hashes a bigint by its low 64 bits, which
 * are zero in all IPv6 prefixes up to /64.
 */
export const mergeByPrefix = (entries: readonly PrefixPorts[]): PrefixPorts[] => {
  const levels = Map.groupBy(entries, ({ prefix }) => prefix.length);
  const merged: PrefixPorts[][] = [];
  let promoted: PrefixPorts[] = [];
  for (let length = Math.max(-1, ...levels.keys()); length >= 0; length--) {
    const level = [...(levels.get(length) ?? []), ...promoted];
    const fused = fuse(level.sort((a, b) => compareAddresses(a.prefix, b.prefix)));
    merged.push(fused);
    promoted = promote(fused);
  }
  return merged.flat().sort((a, b) => comparePrefixes(a.prefix, b.prefix));
};

/** Entries of equal prefixes, which are neighbours, become one. */
const fuse = (level: readonly PrefixPorts[]): PrefixPorts[] => {
  const fused: PrefixPorts[] = [];
  let equal: PrefixPorts[] = [];
  for (const entry of level) {
    if (equal[0] !== undefined && equal[0].prefix.address !== entry.prefix.address) {
      fused.push(unite(equal[0], equal));
      equal = [];
    }
    equal.push(entry);
  }
  if (equal[0] !== undefined) fused.push(unite(equal[0], equal));
  return fused;
};

const unite = (first: PrefixPorts, all: readonly PrefixPorts[]): PrefixPorts => {
  const ranges = all.length === 1 ? first.ranges : all.flatMap((entry) => entry.ranges);
  return { prefix: first.prefix, ranges: normalize(ranges) };
};

/** What both halves of a parent have. Halves are neighbours in a level, as all its lengths are equal. */
const promote = (level: readonly PrefixPorts[]): PrefixPorts[] => {
  const promoted: PrefixPorts[] = [];
  let lower: PrefixPorts | undefined;
  for (const upper of level) {
    if (lower !== undefined && areHalves(lower.prefix, upper.prefix)) {
      const ranges = intersect(lower.ranges, upper.ranges);
      const { family, address, length } = lower.prefix;
      if (ranges.length > 0) promoted.push({ prefix: { family, address, length: length - 1 }, ranges });
    }
    lower = upper;
  }
  return promoted;
};

/** For two different prefixes of equal length, in ascending order: one bit apart, the last. */
const areHalves = (lower: Prefix, upper: Prefix): boolean =>
  (lower.address | sizeOf(lower)) === upper.address;
