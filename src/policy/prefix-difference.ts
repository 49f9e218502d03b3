/**
 * Lists a prefix × ports with holes as readable prefixes × ports: ports without holes once for the whole prefix; only
 * ports with holes split it.
 */
import { contains, type Prefix } from '../net/address.ts';
import type { PrefixPorts } from '../net/prefix-ports.ts';
import { intersect, normalize, overlaps, type Range, without } from '../net/ranges.ts';
import { excludeProtected } from './protected-hosts.ts';

/** The most holes, and the most ranges of ports with holes, that are listed. */
export interface Detail {
  readonly holes: number;
  readonly ranges: number;
}

/** `partly`: it has too many holes to list them. */
export interface Piece extends PrefixPorts {
  readonly partly: boolean;
}

/**
 * `holes` are inside the prefix and ascend, the broader first. A hole without ranges only marks where the prefix is
 * split. Appends to `found`.
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

/** The parts around the holes; undefined if both the holes and these parts are too many to read. */
function subtract(piece: Piece, groups: readonly Group[], most: Detail): readonly Piece[] | undefined {
  const isMany = groups.length > most.holes;
  if (isMany && groups.length > MOST_TRIED * most.holes) return undefined;
  const holes = groups.map(({ top }) => top.prefix);
  const around = excludeProtected([piece], holes, ALWAYS);
  return isMany && around.length > MOST_LEFT * most.holes ? undefined : around;
}

/**
 * Up to this multiple of the listed holes, it is tried whether few parts remain: one host splits a prefix into up to
 * 128.
 */
const MOST_TRIED = 16;
/** The most parts, as a multiple of the listed holes. */
const MOST_LEFT = 5;

/** True if two normal lists have a port in common; the second should be the shorter. */
export const touches = (ranges: readonly Range[], others: readonly Range[]): boolean =>
  others.some((other) => overlaps(ranges, other));

interface Group {
  readonly top: PrefixPorts;
  /** The holes inside it, in their order. */
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

/** Longer than any prefix, so that holes are excluded from every prefix. */
const ALWAYS: Readonly<Record<Prefix['family'], number>> = { 4: 33, 6: 129 };
