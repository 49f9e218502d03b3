/**
 * The difference of two sets of traffic as readable prefixes × ports.
 *
 * The prefixes of both sides form a tree. Every node knows what is left in all of its subtree; that
 * is said once, at the top, and only the rest further down, so that a small hole in a broad prefix
 * is all that breaks it up.
 */
import { comparePrefixes, contains, type Family, type Prefix } from '../address.ts';
import { gather, type PrefixRanges } from '../prefix-ranges.ts';
import { protect } from '../protect.ts';
import { covers, intersect, normalize, type Range } from '../ranges.ts';
import type { Allowance } from '../rule-set.ts';
import type { Protocol } from '../traffic.ts';

interface Node {
  readonly prefix: Prefix;
  readonly plus: readonly Range[];
  readonly minus: readonly Range[];
  readonly children: Node[];
  /** What is left here, wherever no child says otherwise. */
  left: readonly Range[];
  /** What is left everywhere in the subtree. */
  throughout: readonly Range[];
}

/** What holds of a whole prefix. */
interface Scope {
  readonly plus: readonly Range[];
  readonly minus: readonly Range[];
  readonly left: readonly Range[];
}

const NOWHERE: Scope = { plus: [], minus: [], left: [] };

const FAMILIES: readonly Family[] = [4, 6];
const PROTOCOLS: readonly Protocol[] = ['tcp', 'udp', 'icmp'];

/** `partly`: some of it is in the other set too, in too many places to tell them one by one. */
export interface Difference extends Allowance {
  readonly partly: boolean;
}

type Found = Omit<Difference, 'protocol'>;

/**
 * What is in `plus` and not in `minus`: disjoint, sorted by family, protocol and address. Exact,
 * except that a prefix with more than `mostHoles` holes is told as a whole.
 */
export function subtract(
  plus: readonly Allowance[],
  minus: readonly Allowance[],
  mostHoles = Number.POSITIVE_INFINITY,
): readonly Difference[] {
  if (plus.length === 0) return [];
  return FAMILIES.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) => {
      const mine = (one: Allowance) => one.protocol === protocol && one.prefix.family === family;
      const found = subtractKind(plus.filter(mine), minus.filter(mine), mostHoles);
      return found.map((one) => ({ ...one, protocol }));
    }),
  );
}

function subtractKind(
  plus: readonly PrefixRanges[],
  minus: readonly PrefixRanges[],
  mostHoles: number,
): readonly Found[] {
  const found: Found[] = [];
  for (const root of plant(gather(plus), gather(minus))) {
    settle(root, NOWHERE);
    emit(root, [], mostHoles, found);
  }
  return found;
}

/** Both lists ascend, the broader prefix first, each prefix once. */
function plant(plus: readonly PrefixRanges[], minus: readonly PrefixRanges[]): Node[] {
  const roots: Node[] = [];
  const path: Node[] = [];
  for (const node of zip(plus, minus)) {
    let parent = path.at(-1);
    while (parent !== undefined && !contains(parent.prefix, node.prefix)) {
      path.pop();
      parent = path.at(-1);
    }
    (parent?.children ?? roots).push(node);
    path.push(node);
  }
  return roots;
}

/** One node per prefix, in ascending order. */
function zip(plus: readonly PrefixRanges[], minus: readonly PrefixRanges[]): Node[] {
  const sides = [
    ...plus.map(({ prefix, ranges }) => newNode(prefix, ranges, [])),
    ...minus.map(({ prefix, ranges }) => newNode(prefix, [], ranges)),
  ].sort((a, b) => comparePrefixes(a.prefix, b.prefix));
  const nodes: Node[] = [];
  for (const node of sides) {
    const last = nodes.at(-1);
    if (last === undefined || comparePrefixes(last.prefix, node.prefix) !== 0) nodes.push(node);
    else nodes[nodes.length - 1] = newNode(node.prefix, last.plus, node.minus);
  }
  return nodes;
}

const newNode = (prefix: Prefix, plus: readonly Range[], minus: readonly Range[]): Node => ({
  prefix,
  plus,
  minus,
  children: [],
  left: [],
  throughout: [],
});

function settle(node: Node, outer: Scope): void {
  const scope = within(node, outer);
  node.left = scope.left;
  node.throughout = scope.left;
  for (const child of node.children) {
    settle(child, scope);
    if (child.throughout !== node.throughout) node.throughout = intersect(node.throughout, child.throughout);
  }
}

/** The same scope where the node adds nothing to what is around it, which is the usual case. */
function within(node: Node, outer: Scope): Scope {
  const adds = (ranges: readonly Range[], known: readonly Range[]) =>
    ranges.some((range) => !covers(known, range));
  const plus = adds(node.plus, outer.plus) ? union(outer.plus, node.plus) : outer.plus;
  const minus = adds(node.minus, outer.minus) ? union(outer.minus, node.minus) : outer.minus;
  if (plus === outer.plus && minus === outer.minus) return outer;
  return { plus, minus, left: without(plus, minus) };
}

/** `said`: what the nodes above have said of all in here. */
function emit(node: Node, said: readonly Range[], mostHoles: number, found: Found[]): void {
  say({ prefix: node.prefix, ranges: without(node.throughout, said), partly: false }, found);
  const saidHere = union(said, node.throughout);
  const rest = without(node.left, saidHere);
  const holes = rest.length === 0 ? [] : node.children.filter((child) => lacks(child, rest));
  const partly = holes.length > mostHoles;
  const broken = new Set(partly ? [] : holes);
  const whole = protect(
    [node],
    [...broken].map((hole) => hole.prefix),
    ALWAYS,
  );
  for (const { prefix } of whole) say({ prefix, ranges: rest, partly }, found);
  const saidBelow = union(saidHere, rest);
  for (const child of node.children) emit(child, broken.has(child) ? saidHere : saidBelow, mostHoles, found);
}

const lacks = ({ throughout }: Node, ranges: readonly Range[]): boolean =>
  ranges.some((range) => !covers(throughout, range));

/** Longer than any prefix: `protect` takes the hosts out of whatever it is given. */
const ALWAYS = { 4: 33, 6: 129 };

const say = (one: Found, found: Found[]): void => {
  if (one.ranges.length > 0) found.push(one);
};

const union = (a: readonly Range[], b: readonly Range[]): readonly Range[] =>
  a.length === 0 ? b : b.length === 0 ? a : normalize([...a, ...b]);

/** Of normal lists. */
const without = (a: readonly Range[], b: readonly Range[]): readonly Range[] =>
  a.length === 0 || b.length === 0 ? a : intersect(a, complement(b));

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
