/**
 * Computes the difference of two sets of traffic, as readable prefixes × ports.
 *
 * One sweep over the prefixes of both sets, the broader ones first; prefixes are nested or disjoint. A prefix *owns*
 * the ports that it adds and that no prefix around it has added or removed. Prefixes inside it that remove some of
 * these ports make holes. So each port of the difference has one owner, which reports it.
 *
 * A step reads only the prefixes around a prefix, at most one per length, and never all ports that are covered there.
 * So the work grows with the input, and not with the product of both sets.
 */
import type { Steps } from '../common/slices.ts';
import { comparePrefixes, contains, type Family, type Prefix } from '../net/address.ts';
import { CoveredPorts } from '../net/covered-ports.ts';
import { mergeByPrefix, type PrefixPorts } from '../net/prefix-ports.ts';
import { normalize, type Range } from '../net/ranges.ts';
import { type Detail, type Piece, subtractPrefixes, touches } from './prefix-difference.ts';
import type { AllowEntry } from './rule-set.ts';
import type { Protocol } from './traffic.ts';

/** A prefix and its ports in both sets. */
interface Node {
  readonly prefix: Prefix;
  readonly plus: readonly Range[];
  readonly minus: readonly Range[];
}

/** A node, the ports that it owns, and their holes. */
interface Owner extends Node {
  readonly owned: readonly Range[];
  /** Ranges of `plus` of which it owns too many parts to list them. */
  readonly tooFragmented: readonly Range[];
  /**
   * The holes. Prefixes between the owner and a hole are listed too, without ranges, because the prefix is split
   * there.
   */
  readonly holes: PrefixPorts[];
  /** The prefixes in `holes`. */
  readonly marked: Set<Prefix>;
}

const FAMILIES: readonly Family[] = [4, 6];
const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'icmp'];

/** `partly`: some of it is in the other set too, in too many places to list them. */
export interface Difference extends AllowEntry {
  readonly partly: boolean;
}

const EXACTLY: Detail = { holes: Number.POSITIVE_INFINITY, ranges: Number.POSITIVE_INFINITY };

/**
 * The traffic in `plus` and not in `minus`: disjoint, sorted by family, protocol and address. Exact, except that a
 * prefix with more holes than `most` allows is listed as a whole.
 */
export function* difference(
  plus: readonly AllowEntry[],
  minus: readonly AllowEntry[],
  most: Detail = EXACTLY,
): Steps<readonly Difference[]> {
  const all: Difference[] = [];
  for (const family of FAMILIES)
    for (const protocol of PROTOCOLS) {
      const mine = (one: AllowEntry) => one.protocol === protocol && one.prefix.family === family;
      const found = yield* subtractKind(plus.filter(mine), minus.filter(mine), most);
      for (const one of found) all.push({ ...one, protocol });
    }
  return all;
}

function* subtractKind(
  plus: readonly PrefixPorts[],
  minus: readonly PrefixPorts[],
  most: Detail,
): Steps<readonly Piece[]> {
  if (plus.length === 0) return [];
  const found: Piece[] = [];
  const merged = mergeByPrefix(plus);
  yield;
  const nodes = zip(merged, mergeByPrefix(minus));
  yield;
  const owners = yield* sweep(nodes, most);
  for (const { prefix, owned, tooFragmented, holes } of owners) {
    subtractPrefixes({ prefix, ranges: owned }, holes, most, found);
    if (tooFragmented.length > 0) found.push({ prefix, ranges: tooFragmented, partly: true });
    yield;
  }
  return join(found);
}

/** One node per prefix, the broader first. Each list contains a prefix only once. */
function zip(plus: readonly PrefixPorts[], minus: readonly PrefixPorts[]): readonly Node[] {
  const sides = [
    ...plus.map(({ prefix, ranges }): Node => ({ prefix, plus: ranges, minus: [] })),
    ...minus.map(({ prefix, ranges }): Node => ({ prefix, plus: [], minus: ranges })),
  ].sort((a, b) => comparePrefixes(a.prefix, b.prefix));
  const nodes: Node[] = [];
  for (const node of sides) {
    const last = nodes.at(-1);
    if (last === undefined || comparePrefixes(last.prefix, node.prefix) !== 0) nodes.push(node);
    else nodes[nodes.length - 1] = { prefix: node.prefix, plus: last.plus, minus: node.minus };
  }
  return nodes;
}

function* sweep(nodes: readonly Node[], most: Detail): Steps<readonly Owner[]> {
  const cover = new CoveredPorts();
  const around: Owner[] = [];
  const owners: Owner[] = [];
  for (const node of nodes) {
    leave(around, node.prefix, cover);
    for (const [depth, owner] of around.entries())
      if (touches(owner.owned, node.minus)) mark(owner, node, around.slice(depth + 1));
    const owner = enter(node, cover, most);
    around.push(owner);
    owners.push(owner);
    yield;
  }
  return owners;
}

/** Adds a hole, and before it the prefixes between the owner and the hole that are not listed yet. */
function mark({ holes, marked }: Owner, hole: Node, between: readonly Node[]): void {
  for (const { prefix } of between) if (!marked.has(prefix)) holes.push({ prefix, ranges: [] });
  for (const { prefix } of [...between, hole]) marked.add(prefix);
  holes.push({ prefix: hole.prefix, ranges: hole.minus });
}

/** Returns to the innermost prefix that contains `prefix`. */
function leave(around: Owner[], prefix: Prefix, cover: CoveredPorts): void {
  for (let top = around.at(-1); top !== undefined && !contains(top.prefix, prefix); top = around.at(-1)) {
    for (const range of [...top.plus, ...top.minus]) cover.remove(range);
    around.pop();
  }
}

function enter(node: Node, cover: CoveredPorts, most: Detail): Owner {
  for (const range of node.minus) cover.add(range);
  const [owned, tooFragmented]: [Range[], Range[]] = [[], []];
  for (const range of node.plus) {
    const gaps = cover.gaps(range, most.ranges);
    if (gaps === undefined) tooFragmented.push(range);
    else owned.push(...gaps);
  }
  for (const range of node.plus) cover.add(range);
  return { ...node, owned, tooFragmented, holes: [], marked: new Set() };
}

/** Merges pieces of the same prefix. */
function join(pieces: readonly Piece[]): readonly Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces.toSorted(inOrder)) {
    const last = joined.at(-1);
    if (last === undefined || inOrder(last, piece) !== 0) joined.push(piece);
    else joined[joined.length - 1] = { ...piece, ranges: normalize([...last.ranges, ...piece.ranges]) };
  }
  return joined;
}

const inOrder = (a: Piece, b: Piece): number =>
  comparePrefixes(a.prefix, b.prefix) || Number(a.partly) - Number(b.partly);
