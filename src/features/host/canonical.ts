/**
 * Brings claims of any number and order to one canonical rule set: sorted, without duplicates, and with one target for
 * each port. Two claims that contradict each other become a problem that names both.
 */
import type { Problem } from '../../common/problem.ts';
import { comparePrefixes, contains, formatPrefix, type Prefix } from '../../net/address.ts';
import type { At, Bridge, Forward, Guard, HostRuleSet, Opening, Permit, ProxiedPort } from './model.ts';
import { disjointPermits } from './permits.ts';

export interface HostClaims {
  readonly bridges: readonly Bridge[];
  readonly guard: Guard | undefined;
  readonly openings: readonly Opening[];
  readonly proxied: readonly ProxiedPort[];
  readonly forwards: readonly Forward[];
  readonly permits: readonly Permit[];
}

export interface CanonicalHost {
  readonly rules: HostRuleSet;
  readonly problems: readonly Problem[];
}

export function canonicalHost(claims: HostClaims): CanonicalHost {
  const { kept, problems } = withoutConflicts(claims.forwards);
  const rules = {
    bridges: claims.bridges
      .map((bridge) => ({
        ...bridge,
        subnets: bridge.subnets.toSorted(comparePrefixes),
        masqueraded: bridge.masqueraded.toSorted(comparePrefixes),
      }))
      .sort((one, other) => compareTexts(one.name, other.name)),
    guard: claims.guard,
    openings: mergedBy(claims.openings, openingKey).map(mergedOpening),
    proxied: mergedBy(claims.proxied, proxiedKey).flatMap(mergedProxied),
    forwards: kept,
    permits: disjointPermits(claims.permits),
  };
  return { rules, problems };
}

/** The broadest prefixes alone, sorted. */
export function mergedSources(lists: readonly (readonly Prefix[])[]): readonly Prefix[] {
  const broad: Prefix[] = [];
  for (const prefix of lists.flat().sort(comparePrefixes)) {
    const last = broad.at(-1);
    if (last === undefined || !contains(last, prefix)) broad.push(prefix);
  }
  return broad;
}

/** The key of an `At` in maps and for sorting. */
export function atText(at: At): string {
  switch (at.kind) {
    case 'any':
      return 'any address';
    case 'address':
      return formatPrefix(at.address);
    case 'device':
      return `device ${at.name}`;
  }
}

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

const portKey = ({ protocol, port }: { readonly protocol: string; readonly port: number }): string =>
  `${protocol}/${String(port).padStart(5, '0')}`;

const addressKey = ({ family, address }: Prefix): string =>
  `${family} ${address.toString(16).padStart(32, '0')}`;

const openingKey = (one: Opening): string => `${addressKey(one.to)} ${portKey(one)}`;

const proxiedKey = (one: ProxiedPort): string => `${one.at.family} ${portKey(one)}`;

const forwardKey = (one: Forward): string => `${one.to.family} ${atText(one.at)} ${portKey(one)}`;

/** Groups in the order of their keys; each group has one at least. */
function mergedBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [T, ...T[]])[] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return [...groups].sort(([one], [other]) => compareTexts(one, other)).map(([, group]) => group);
}

const older = <T extends Opening | Forward>(one: T, other: T): number =>
  compareTexts(one.origin.since, other.origin.since) || compareTexts(one.origin.text, other.origin.text);

function mergedOpening(group: readonly [Opening, ...Opening[]]): Opening {
  const first = group.toSorted(older)[0] ?? group[0];
  const lists = group.flatMap(({ from }) => (from === 'anyone' ? [] : [from]));
  return { ...first, from: lists.length < group.length ? 'anyone' : mergedSources(lists) };
}

/** Where the proxy listens on all addresses, single ones are part of it: the kernel's set takes no overlaps. */
function mergedProxied(group: readonly [ProxiedPort, ...ProxiedPort[]]): readonly ProxiedPort[] {
  const all = group.find(({ at }) => at.length === 0);
  if (all !== undefined) return [{ ...all, from: mergedFrom(group) }];
  return mergedBy(group, ({ at }) => addressKey(at)).map((same) => ({ ...same[0], from: mergedFrom(same) }));
}

function mergedFrom(group: readonly ProxiedPort[]): ProxiedPort['from'] {
  if (group.some(({ from }) => from === 'anyone')) return 'anyone';
  const lists = group.flatMap(({ from }) => (typeof from === 'string' ? [] : [from]));
  return lists.length === 0 ? 'nobody' : mergedSources(lists);
}

/** Of several targets for one port, that of the oldest claim counts. */
function withoutConflicts(forwards: readonly Forward[]): {
  readonly kept: readonly Forward[];
  readonly problems: readonly Problem[];
} {
  const kept: Forward[] = [];
  const problems: Problem[] = [];
  for (const group of mergedBy(forwards, forwardKey)) {
    const sorted = group.toSorted((one, other) => older(one, other) || compareTargets(one, other));
    const [first = group[0], ...others] = sorted;
    kept.push(first);
    const conflict = others.find((one) => compareTargets(one, first) !== 0);
    if (conflict !== undefined) problems.push(conflictOf(first, conflict));
  }
  return { kept, problems };
}

const compareTargets = (one: Forward, other: Forward): number =>
  comparePrefixes(one.to, other.to) || one.toPort - other.toPort;

const conflictOf = (kept: Forward, lost: Forward): Problem => ({
  severity: 'warning',
  text: `${kept.protocol}/${kept.port}`,
  reason: `port ${kept.protocol}/${kept.port} of this host (${atText(kept.at)}) is claimed twice: ${kept.origin.text} keeps it, ${lost.origin.text} does not get it; publish another port`,
});
