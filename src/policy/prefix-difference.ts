/**
 * A prefix × ports with holes, as readable prefixes × ports: ports without holes are listed once for the whole
 * prefix, and only the ports with holes split it.
 */
import { contains, type Prefix } from '../net/address.ts';
import type { PrefixPorts } from '../net/prefix-ports.ts';
import { intersect, normalize, overlaps, type Range, without } from '../net/ranges.ts';
import { excludeProtected } from './protected-hosts.ts';

/** How many holes, and how many ranges of ports with holes, are told one by one. */
export interface Detail {
  readonly holes: number;
  readonly ranges: number;
}

/** `partly`: it has too many holes to tell them one by one. */
export interface Piece extends PrefixPorts {
  readonly partly: boolean;
}

/**
 * `holes` ascend, the broader prefix first, all inside of the prefix. Those without ranges have holes inside,
 * and tell where the prefix is broken up. Appends to `found`.
 */
export function subtractPrefixes(
  { prefix, ranges }: PrefixPorts,
  holes: readonly PrefixPorts[],
  most: Detail,
  found: Piece[],
): void {
  const hit = intersect(ranges, normalize(holes.flatMap((hole) => hole.ranges)));
  const whole = without(ranges, hit);
  if (whole.length > 0) found.push({ prefix, ranges: whole, partly: false });
  if (hit.length === 0) return;
  const groups = nest(holes).filter(({ top, inside }) =>
    [top, ...inside].some((hole) => touches(hit, hole.ranges)),
  );
  const around = subtract({ prefix, ranges: hit, partly: false }, groups, most);
  if (around === undefined || hit.length > most.ranges) {
    found.push({ prefix, ranges: hit, partly: true });
    return;
  }
  found.push(...around);
  for (const { top, inside } of groups)
    subtractPrefixes({ prefix: top.prefix, ranges: without(hit, top.ranges) }, inside, most, found);
}

/** What is left around the holes; undefined where both the holes and what is left are too many to read. */
function subtract(piece: Piece, groups: readonly Group[], most: Detail): readonly Piece[] | undefined {
  const isMany = groups.length > most.holes;
  if (isMany && groups.length > MOST_TRIED * most.holes) return undefined;
  const holes = groups.map(({ top }) => top.prefix);
  const around = excludeProtected([piece], holes, ALWAYS);
  return isMany && around.length > MOST_LEFT * most.holes ? undefined : around;
}

/** Times as many holes as are told, for which it is tried whether little is left: a host takes 128 prefixes. */
const MOST_TRIED = 16;
/** Times as many pieces as holes may be told. */
const MOST_LEFT = 5;

/** Whether two normal lists have a port in common; the second should be the shorter. */
export const touches = (ranges: readonly Range[], others: readonly Range[]): boolean =>
  others.some((other) => overlaps(ranges, other));

interface Group {
  readonly top: PrefixPorts;
  /** Further holes inside of it, in their order. */
  readonly inside: PrefixPorts[];
}

const nest = (holes: readonly PrefixPorts[]): readonly Group[] => {
  const groups: Group[] = [];
  for (const hole of holes) {
    const last = groups.at(-1);
    if (last !== undefined && contains(last.top.prefix, hole.prefix)) last.inside.push(hole);
    else groups.push({ top: hole, inside: [] });
  }
  return groups;
};

/** Longer than any prefix: `protect` takes the holes out of whatever it is given. */
const ALWAYS: Readonly<Record<Prefix['family'], number>> = { 4: 33, 6: 129 };
