/**
 * Computes which workloads would gain or lose which destinations by a new text of a key.
 *
 * Only changed lines are compared, and only with those other rules that overlap them, so that a small edit of a large
 * key takes little work for each workload.
 */

import type { Problem } from '../common/problem.ts';
import type { Steps } from '../common/slices.ts';
import { comparePrefixes, contains, lastAddress, type Prefix } from '../net/address.ts';
import type { Range } from '../net/ranges.ts';
import type { Acl, AclKey } from '../policy/acl.ts';
import { type Catalog, grantedKeys, matchesFor } from '../policy/compile.ts';
import { type Difference, difference } from '../policy/difference.ts';
import { formatRule } from '../policy/rule.ts';
import { type AllowEntry, excludeProtected } from '../policy/rule-set.ts';
import { formatTraffic } from '../policy/traffic.ts';
import { nameChanges } from './diff-names.ts';

/** The name of a workload, and its keys. */
export interface WorkloadGrants {
  readonly name: string;
  readonly grants: readonly string[];
}

export interface DiffContext {
  readonly acl: Acl;
  /** Includes the services in the new text. */
  readonly catalog: Catalog;
  readonly protectedHosts: readonly Prefix[];
  readonly workloads: readonly WorkloadGrants[];
}

/** In the notation of rules. `partly`: some of it was, or stays, allowed. */
export interface ChangedRule {
  readonly rule: string;
  readonly partly: boolean;
}

/** The same change for all of these workloads. */
export interface Change {
  readonly workloads: readonly string[];
  /** Disjoint. A service counts with its present instances. */
  readonly gained: readonly ChangedRule[];
  readonly lost: readonly ChangedRule[];
}

export interface Diff {
  /** The problems of the new text. */
  readonly problems: readonly Problem[];
  /** Only those that gain or lose something. */
  readonly changes: readonly Change[];
  /** Workloads that hold the key, changed or not. */
  readonly holders: readonly string[];
}

/** `proposed`: the key with its new text. */
export function* diffKey(proposed: AclKey, context: DiffContext): Steps<Diff> {
  const { key, problems } = proposed;
  const reach = reachOf(context);
  const before = reach(key, context.acl);
  yield;
  const after = reach(key, new Map([[key, proposed]]));
  yield;
  const [added, removed] = [minusEqual(after, before), minusEqual(before, after)];
  yield;
  const touched = touching([...added, ...removed]);
  const gained = yield* difference(added, before.filter(touched), DETAIL);
  const lost = yield* difference(removed, after.filter(touched), DETAIL);
  const rest = memoize((other: string) => reach(other, context.acl).filter(touched));
  const holders = context.workloads.filter(({ grants }) => grants.includes(key));
  const changes: Change[] = [];
  for (const group of Map.groupBy(holders, groupOf).values()) {
    const others = (group[0]?.grants ?? []).filter((other) => other !== key).flatMap(rest);
    yield;
    const names = nameChanges(proposed, context.acl, group[0]?.grants ?? []);
    changes.push({
      workloads: group.map(({ name }) => name),
      gained: [...(yield* beyond(gained, others)), ...names.gained.map(whole)],
      lost: [...(yield* beyond(lost, others)), ...names.lost.map(whole)],
    });
  }
  return {
    problems,
    changes: joinEqual(changes.filter(({ gained, lost }) => gained.length + lost.length > 0)),
    holders: holders.map(({ name }) => name),
  };
}

const whole = (rule: string): ChangedRule => ({ rule, partly: false });

/** Workloads with different keys may see the same change. */
const joinEqual = (changes: readonly Change[]): readonly Change[] =>
  [...Map.groupBy(changes, ({ gained, lost }) => JSON.stringify([gained, lost])).values()].flatMap((same) =>
    same.slice(0, 1).map((one) => ({ ...one, workloads: same.flatMap(({ workloads }) => workloads) })),
  );

const groupOf = ({ grants }: WorkloadGrants): string => JSON.stringify([...grants].sort());

const reachOf =
  ({ catalog, protectedHosts }: DiffContext) =>
  (key: string, acl: Acl): readonly AllowEntry[] =>
    excludeProtected(
      matchesFor(grantedKeys([key], acl), catalog, protectedHosts).reasons.map(({ entry }) => entry),
      protectedHosts,
    );

const memoize = <T>(compute: (key: string) => T): ((key: string) => T) => {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
};

/** A prefix with more holes is listed as a whole: nobody reads hundreds of pieces of one prefix. */
const DETAIL = { holes: 16, ranges: 64 };

/** The differences that the other keys of a workload do not grant. */
function* beyond(
  differences: readonly Difference[],
  others: readonly AllowEntry[],
): Steps<readonly ChangedRule[]> {
  const rules: ChangedRule[] = [];
  for (const was of [true, false]) {
    const mine = differences.filter(({ partly }) => partly === was);
    for (const one of yield* difference(mine, others, DETAIL)) {
      rules.push(...print(one, was || one.partly));
      yield;
    }
  }
  return rules;
}

const print = ({ prefix, protocol, ranges }: AllowEntry, partly: boolean): readonly ChangedRule[] => {
  const named = protocol === 'icmp' || isWhole(ranges) ? ranges : ranges.flatMap(nameable);
  if (named.length === 0) return [];
  return [{ rule: formatRule({ kind: 'address', prefix, protocol, ranges: named }), partly }];
};

/** Nothing listens on port 0: it is listed only as a part of all ports. */
const nameable = ({ first, last }: Range): readonly Range[] =>
  last === 0 ? [] : [{ first: Math.max(first, 1), last }];

const isWhole = ([range]: readonly Range[]): boolean => range?.first === 0 && range.last === 65_535;

const idOf = ({ prefix, protocol, ranges }: AllowEntry): string =>
  `${prefix.family} ${prefix.address}/${prefix.length} ${formatTraffic({ protocol, ranges })}`;

/** Removes entries that the other list has in the same form. */
const minusEqual = (from: readonly AllowEntry[], other: readonly AllowEntry[]): readonly AllowEntry[] => {
  const known = new Set(other.map(idOf));
  return from.filter((one) => !known.has(idOf(one)));
};

/** Returns a test whether an entry has an address in common with one of these. */
const touching = (entries: readonly AllowEntry[]): ((one: AllowEntry) => boolean) => {
  const tops: Prefix[] = [];
  for (const prefix of entries.map((one) => one.prefix).sort(comparePrefixes)) {
    const top = tops.at(-1);
    if (top === undefined || !contains(top, prefix)) tops.push(prefix);
  }
  return ({ prefix }) => {
    const found = firstEndingFrom(tops, prefix);
    return found !== undefined && (contains(found, prefix) || contains(prefix, found));
  };
};

/** The first of disjoint ascending prefixes that ends at the beginning of `prefix` or later. */
const firstEndingFrom = (tops: readonly Prefix[], prefix: Prefix): Prefix | undefined => {
  let [low, high] = [0, tops.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const top = tops[middle];
    const before =
      top !== undefined &&
      (top.family < prefix.family || (top.family === prefix.family && lastAddress(top) < prefix.address));
    if (before) low = middle + 1;
    else high = middle;
  }
  return tops[low];
};
