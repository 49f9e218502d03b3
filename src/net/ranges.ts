/**
 * Sets of ports (or ICMP types) as lists of ranges. A list is *normal* when its ranges ascend and
 * neither overlap nor touch: then equal sets are equal lists.
 */

/** Ports 0–65535 of tcp and udp, or types 0–255 of ICMP; both ends included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** `80` or `8000-8100`. */
export const formatRange = ({ first, last }: Range): string =>
  first === last ? String(first) : `${first}-${last}`;

/** Converts a list to a normal one; returns a normal list unchanged. */
export const normalize = (ranges: readonly Range[]): readonly Range[] =>
  isNormal(ranges) ? ranges : merge(ranges.toSorted((a, b) => a.first - b.first));

/** The intersection of two normal lists, as a normal list. Linear in the lengths of both. */
export const intersect = (a: readonly Range[], b: readonly Range[]): Range[] => {
  const common: Range[] = [];
  let [i, j] = [0, 0];
  for (let x = a[i], y = b[j]; x !== undefined && y !== undefined; x = a[i], y = b[j]) {
    const [first, last] = [Math.max(x.first, y.first), Math.min(x.last, y.last)];
    if (first <= last) common.push({ first, last });
    if (x.last < y.last) i++;
    else j++;
  }
  return common;
};

/** True if one range of a normal list contains all of `range`. */
export const covers = (ranges: readonly Range[], range: Range): boolean => {
  const found = seek(ranges, range.first);
  return found !== undefined && found.first <= range.first && range.last <= found.last;
};

/** True if a range of a normal list has a port in common with `range`. */
export const overlaps = (ranges: readonly Range[], range: Range): boolean => {
  const found = seek(ranges, range.first);
  return found !== undefined && found.first <= range.last;
};

/** The ports in the first normal list and not in the second, as a normal list. */
export const without = (a: readonly Range[], b: readonly Range[]): readonly Range[] =>
  a.length === 0 || b.length === 0 ? a : intersect(a, complement(b));

/** All ports but those of a normal list. */
const complement = (ranges: readonly Range[]): readonly Range[] => {
  const gaps: Range[] = [];
  let first = 0;
  for (const range of ranges) {
    if (range.first > first) gaps.push({ first, last: range.first - 1 });
    first = range.last + 1;
  }
  if (first <= 65_535) gaps.push({ first, last: 65_535 });
  return gaps;
};

/** The first range of a normal list that ends at `port` or later. */
const seek = (ranges: readonly Range[], port: number): Range | undefined => {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range !== undefined && range.last < port) low = middle + 1;
    else high = middle;
  }
  return ranges[low];
};

const isNormal = (ranges: readonly Range[]): boolean => {
  let end = Number.NEGATIVE_INFINITY;
  for (const { first, last } of ranges) {
    if (first <= end + 1) return false;
    end = last;
  }
  return true;
};

const merge = (sorted: readonly Range[]): Range[] => {
  const merged: Range[] = [];
  for (const range of sorted) {
    const top = merged.at(-1);
    if (top === undefined || range.first > top.last + 1) merged.push(range);
    else if (range.last > top.last) merged[merged.length - 1] = { first: top.first, last: range.last };
  }
  return merged;
};
