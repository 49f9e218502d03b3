/**
 * From sets of ports per prefix to rectangles that do not overlap.
 *
 * Prefixes are nested or disjoint, so two rectangles overlap only where one's prefix is an ancestor
 * of the other's. One sweep in ascending order meets ancestors first; each prefix keeps what they
 * do not cover. A range that would fall into many pieces is kept whole, in a further layer: the
 * result stays linear in the input, however adverse that is.
 */
import { contains, type Prefix } from './address.ts';
import { Coverage } from './coverage.ts';
import type { PrefixRanges } from './prefix-ranges.ts';
import { covers, overlaps, type Range } from './ranges.ts';

/** One range of ports of a prefix, and the layer it belongs in. */
export interface Rectangle {
  readonly prefix: Prefix;
  readonly range: Range;
  readonly layer: number;
}

/** What a prefix around the current one has placed. */
interface Ancestor {
  readonly prefix: Prefix;
  /** In layer 0, disjoint from all other ancestors' pieces; these are in the coverage. */
  readonly pieces: readonly Range[];
  /** Kept whole, in the further layer `layer`. */
  readonly whole: readonly Range[];
  readonly layer: number;
}

/** The most pieces that a range may fall into. */
const MOST_PIECES = 4;

/** Entries ascend (as `gather` leaves them), and so do the rectangles of each layer. */
export const layOut = (entries: readonly PrefixRanges[]): Rectangle[] => {
  const coverage = new Coverage();
  const path: Ancestor[] = [];
  const rectangles: Rectangle[] = [];
  for (const { prefix, ranges } of entries) {
    leave(path, prefix, coverage);
    const placed = place(prefix, ranges, path, coverage);
    for (const range of placed.pieces) coverage.add(range);
    path.push(placed);
    for (const range of placed.pieces) rectangles.push({ prefix, range, layer: 0 });
    for (const range of placed.whole) rectangles.push({ prefix, range, layer: placed.layer });
  }
  return rectangles;
};

/** Steps back to the innermost ancestor that contains the prefix. */
const leave = (path: Ancestor[], prefix: Prefix, coverage: Coverage): void => {
  for (let top = path.at(-1); top !== undefined && !contains(top.prefix, prefix); top = path.at(-1)) {
    for (const range of top.pieces) coverage.remove(range);
    path.pop();
  }
};

const place = (
  prefix: Prefix,
  ranges: readonly Range[],
  path: readonly Ancestor[],
  coverage: Coverage,
): Ancestor => {
  const pieces: Range[] = [];
  const whole: Range[] = [];
  const above = path.filter((ancestor) => ancestor.whole.length > 0);
  for (const range of ranges) {
    if (above.some((ancestor) => covers(ancestor.whole, range))) continue;
    const free = coverage.free(range, MOST_PIECES);
    if (free === undefined) whole.push(range);
    else pieces.push(...free);
  }
  const beneath = above.filter((ancestor) => whole.some((range) => overlaps(ancestor.whole, range)));
  return { prefix, pieces, whole, layer: 1 + Math.max(0, ...beneath.map(({ layer }) => layer)) };
};
