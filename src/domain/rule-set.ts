/**
 * Canonical rule sets: the resolved allow-list of one namespace in a form the kernel's sets accept.
 *
 * nftables refuses overlapping elements in a set of concatenated intervals ("File exists"), so the
 * rectangles address × ports of each layer are disjoint. Layer 0 holds nearly everything; a further
 * layer exists only where making rectangles disjoint would multiply them.
 */
import type { Prefix } from './address.ts';
import type { Protocol, Range } from './rule.ts';

/** Traffic that is allowed; overlaps with others are fine. The input of `canonical`. */
export interface Allowance {
  readonly prefix: Prefix;
  readonly protocol: Protocol;
  readonly ranges: readonly Range[];
}

/** One rectangle: a prefix × a protocol × one range of ports (ICMP types). */
export interface Element {
  readonly prefix: Prefix;
  readonly protocol: Protocol;
  readonly range: Range;
}

/** Within a layer no two elements overlap; the order is stable. An empty rule set has no layers. */
export interface RuleSet {
  readonly layers: readonly (readonly Element[])[];
}
