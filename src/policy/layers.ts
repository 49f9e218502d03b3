/**
 * Splits sets of ports per prefix into rectangles that do not overlap.
 *
 * Prefixes are nested or disjoint, so two rectangles overlap only if one prefix is an ancestor of the other. One sweep
 * in ascending order meets ancestors first; each prefix keeps the ports that they do not cover. A range that would be
 * split into many pieces moves to the next layer, which is made in the same way.
 *
 * Why there are few layers: a range that moves on contains at least 8 separate ranges that the same sweep placed; in
 * the next layer each of those contained 8 in turn. As 8^6 ranges do not fit into 65,536 ports, six layers suffice for
 * any input. Each sweep is linear.
 */
import { contains, type Prefix } from '../net/address.ts';
import { FreePorts } from '../net/free-ports.ts';
import type { PrefixPorts } from '../net/prefix-ports.ts';
import { covers, type Range } from '../net/ranges.ts';

/** The most pieces that a range may be split into. */
const MOST_PIECES = 8;

/** One prefix in one layer. */
interface Placed {
  readonly prefix: Prefix;
  /** Disjoint from the pieces of all ancestors. */
  readonly pieces: readonly Range[];
  readonly leftOver: readonly Range[];
}

/**
 * The entries ascend by prefix, without duplicates (as `mergeByPrefix` returns them); so do those of each layer.
 */
export const splitIntoLayers = (entries: readonly PrefixPorts[]): PrefixPorts[][] => {
  const layers: PrefixPorts[][] = [];
  let rest = entries;
  while (rest.length > 0) {
    const placed = sweep(rest);
    layers.push(
      placed.flatMap(({ prefix, pieces }) => (pieces.length > 0 ? { prefix, ranges: pieces } : [])),
    );
    rest = placed.flatMap(({ prefix, leftOver }) =>
      leftOver.length > 0 ? { prefix, ranges: leftOver } : [],
    );
  }
  return layers;
};

const sweep = (entries: readonly PrefixPorts[]): Placed[] => {
  const coveredPorts = new FreePorts();
  const ancestors: Placed[] = [];
  return entries.map((entry) => {
    leave(ancestors, entry.prefix, coveredPorts);
    const placed = place(entry, ancestors, coveredPorts);
    for (const range of placed.pieces) coveredPorts.add(range);
    ancestors.push(placed);
    return placed;
  });
};

/** Returns to the innermost ancestor that contains the prefix. */
const leave = (ancestors: Placed[], prefix: Prefix, coverage: FreePorts): void => {
  for (
    let top = ancestors.at(-1);
    top !== undefined && !contains(top.prefix, prefix);
    top = ancestors.at(-1)
  ) {
    for (const range of top.pieces) coverage.remove(range);
    ancestors.pop();
  }
};

const place = (
  { prefix, ranges }: PrefixPorts,
  ancestors: readonly Placed[],
  coverage: FreePorts,
): Placed => {
  const pieces: Range[] = [];
  const leftOver: Range[] = [];
  const whole = ancestors.filter((ancestor) => ancestor.leftOver.length > 0);
  for (const range of ranges) {
    if (whole.some((ancestor) => covers(ancestor.leftOver, range))) continue;
    const free = coverage.free(range, MOST_PIECES);
    if (free === undefined) leftOver.push(range);
    else pieces.push(...free);
  }
  return { prefix, pieces, leftOver };
};
