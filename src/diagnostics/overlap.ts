/**
 * Finds rules of one key that are unnecessary beside broader ones.
 *
 * Every range of ports is stored under its prefix and protocol in ascending order, together with the range so far that
 * reaches furthest. So one binary search for each prefix around a rule finds a line that contains it.
 */
import { contains, type Prefix } from '../net/address.ts';
import { PrefixIndex } from '../net/prefix-index.ts';
import type { Range } from '../net/ranges.ts';
import { MINIMUM_LENGTH } from '../policy/protected-hosts.ts';
import type { AddressRule } from '../policy/rule.ts';
import type { Protocol } from '../policy/traffic.ts';

export interface NumberedRule {
  readonly line: number;
  readonly rule: AddressRule;
}

interface Placed extends Range {
  readonly line: number;
}

/** `furthest`: of the ranges up to each position, the one with the highest end. */
interface Bucket {
  readonly prefix: Prefix;
  readonly protocol: Protocol;
  readonly placed: Placed[];
  furthest: readonly Placed[];
}

export class Overlaps {
  readonly #index = new PrefixIndex<Bucket>();
  readonly #protectedHosts: readonly Prefix[];

  constructor(rules: readonly NumberedRule[], protectedHosts: readonly Prefix[]) {
    this.#protectedHosts = protectedHosts;
    const buckets = new Set(rules.map((rule) => this.#file(rule)));
    for (const bucket of buckets) {
      bucket.placed.sort(inOrder);
      bucket.furthest = runningFurthest(bucket.placed);
    }
  }

  /** The lines that contain all of a rule's traffic; empty if the rule is needed. */
  linesAround({ line, rule }: NumberedRule): readonly number[] {
    const buckets = this.#index
      .around(rule.prefix)
      .filter(({ prefix, protocol }) => protocol === rule.protocol && this.#grants(prefix, rule.prefix));
    const lines = rule.ranges.map((range) => holderOf({ ...range, line }, rule.prefix, buckets));
    const found = lines.filter((one) => one !== undefined);
    return found.length === lines.length ? [...new Set(found)].sort((a, b) => a - b) : [];
  }

  #file({ line, rule }: NumberedRule): Bucket {
    const { prefix, protocol, ranges } = rule;
    const known = this.#index.at(prefix).find((one) => one.protocol === protocol);
    const bucket = known ?? { prefix, protocol, placed: [], furthest: [] };
    if (known === undefined) this.#index.add(prefix, bucket);
    for (const range of ranges) bucket.placed.push({ ...range, line });
    return bucket;
  }

  /** Protected hosts are excluded from a broad prefix, so a narrow one is needed beside it. */
  #grants(wide: Prefix, narrow: Prefix): boolean {
    const isShort = wide.length < MINIMUM_LENGTH[wide.family];
    const keeps = narrow.length >= MINIMUM_LENGTH[narrow.family];
    return !(isShort && keeps && this.#protectedHosts.some((host) => contains(narrow, host)));
  }
}

/** Broader ranges first, and of equal ones the earlier line: a range can only be inside an earlier one. */
const inOrder = (a: Placed, b: Placed): number => a.first - b.first || b.last - a.last || a.line - b.line;

const runningFurthest = (placed: readonly Placed[]): readonly Placed[] => {
  let furthest: Placed | undefined;
  return placed.map((one) => {
    furthest = furthest === undefined || one.last > furthest.last ? one : furthest;
    return furthest;
  });
};

/** The line of another rule that contains the range, the broadest prefix first. */
const holderOf = (range: Placed, prefix: Prefix, buckets: readonly Bucket[]): number | undefined => {
  for (const bucket of buckets.toReversed()) {
    const own = bucket.prefix.length === prefix.length;
    const bound = own ? range : { first: range.first, last: -1, line: 0 };
    const candidate = bucket.furthest[countBefore(bucket.placed, bound) - 1];
    if (candidate !== undefined && candidate.line !== range.line && candidate.last >= range.last)
      return candidate.line;
  }
  return undefined;
};

const countBefore = (placed: readonly Placed[], bound: Placed): number => {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = placed[middle];
    if (one !== undefined && inOrder(one, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
};
