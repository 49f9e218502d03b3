/**
 * Canonical rule sets: the compiled allow-list of one namespace, in a form that the kernel's sets accept.
 *
 * nftables rejects overlapping elements in a set of concatenated intervals ("File exists"), so the
 * rectangles address × ports of each layer are disjoint. Layer 0 holds nearly everything; a further
 * layer exists only where making rectangles disjoint would multiply them.
 */
import type { Family, Prefix } from '../net/address.ts';
import { mergeByPrefix, type PrefixPorts } from '../net/prefix-ports.ts';
import type { Range } from '../net/ranges.ts';
import { splitIntoLayers } from './layers.ts';
import type { Protocol } from './traffic.ts';

export { excludeProtected } from './protected-hosts.ts';

/** Traffic that is allowed; overlaps with others are fine. The input of `canonical`. */
export interface AllowEntry {
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

/** In the order of the elements. */
const KINDS: readonly (readonly [Family, Protocol])[] = [
  [4, 'tcp'],
  [4, 'udp'],
  [4, 'icmp'],
  [6, 'tcp'],
  [6, 'udp'],
  [6, 'icmp'],
];

/**
 * Converts entries to canonical form. Equal traffic gives equal rule sets, in whatever order and form it was written,
 * as long as one layer holds it. There are at most a few times as many elements as the entries have ranges.
 */
export const canonical = (entries: Iterable<AllowEntry>): RuleSet => {
  const groups = groupByKind(entries);
  const layers: Element[][] = [];
  for (const [family, protocol] of KINDS)
    for (const [index, placed] of splitIntoLayers(mergeByPrefix(groups[family][protocol])).entries()) {
      const layer = layers[index] ?? [];
      for (const { prefix, ranges } of placed)
        for (const range of ranges) layer.push({ prefix, protocol, range });
      layers[index] = layer;
    }
  return { layers };
};

/** Nothing is allowed. */
export const isEmpty = (ruleSet: RuleSet): boolean => ruleSet.layers.length === 0;

type Groups = Readonly<Record<Family, Readonly<Record<Protocol, PrefixPorts[]>>>>;

const groupByKind = (entries: Iterable<AllowEntry>): Groups => {
  const groups: Groups = {
    4: { tcp: [], udp: [], icmp: [] },
    6: { tcp: [], udp: [], icmp: [] },
  };
  for (const entry of entries)
    if (entry.ranges.length > 0) groups[entry.prefix.family][entry.protocol].push(entry);
  return groups;
};
