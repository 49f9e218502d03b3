/**
 * Makes rules by address that allow exactly the given destinations. Ports are joined to lists and ranges, and
 * addresses to a prefix if all of it was seen.
 */
import { comparePrefixes, type Prefix, splitPrefix, WIDTH } from '../net/address.ts';
import { PrefixIndex } from '../net/prefix-index.ts';
import { normalize, type Range } from '../net/ranges.ts';
import { MINIMUM_LENGTH } from '../policy/protected-hosts.ts';
import type { AddressRule } from '../policy/rule.ts';
import { canonical } from '../policy/rule-set.ts';
import type { Protocol } from '../policy/traffic.ts';
import { type Destination, formatDestination, isFor } from './destination.ts';

export interface CountedRule {
  readonly rule: AddressRule;
  readonly count: number;
}

export function addressRules(destinations: readonly Destination[]): readonly CountedRule[] {
  const distinct = [...new Map(destinations.map((one) => [formatDestination(one), one])).values()];
  const rules = joinPorts(distinct);
  const index = new PrefixIndex<AddressRule>();
  for (const rule of rules) index.add(rule.prefix, rule);
  const counts = new Map<AddressRule, number>();
  for (const one of distinct)
    for (const rule of index.around(one.host).filter((candidate) => isFor(candidate, one)))
      counts.set(rule, (counts.get(rule) ?? 0) + 1);
  return rules.map((rule) => ({ rule, count: counts.get(rule) ?? 0 }));
}

/** One rule per prefix and protocol. */
function joinPorts(destinations: readonly Destination[]): readonly AddressRule[] {
  const { layers } = canonical(
    destinations.map(({ host, protocol, port }) => ({
      prefix: host,
      protocol,
      ranges: [{ first: port, last: port }],
    })),
  );
  const groups = new PrefixIndex<{ prefix: Prefix; protocol: Protocol; ranges: Range[] }>();
  const all: { prefix: Prefix; protocol: Protocol; ranges: Range[] }[] = [];
  for (const { prefix: whole, protocol, range } of layers.flat()) {
    for (const prefix of readable(whole)) {
      const known = groups.at(prefix).find((one) => one.protocol === protocol);
      const group = known ?? { prefix, protocol, ranges: [] };
      group.ranges.push(range);
      if (known !== undefined) continue;
      groups.add(prefix, group);
      all.push(group);
    }
  }
  return all
    .sort((a, b) => comparePrefixes(a.prefix, b.prefix) || (a.protocol < b.protocol ? -1 : 1))
    .map(({ ranges, ...group }) => ({ kind: 'address', ...group, ranges: normalize(ranges) }));
}

/**
 * A prefix of two hosts is less readable than the two. A prefix that is short enough for protection would not allow
 * the protected hosts that were seen.
 */
function readable(prefix: Prefix): readonly Prefix[] {
  const isPair = prefix.length === WIDTH[prefix.family] - 1;
  const isShort = prefix.length < MINIMUM_LENGTH[prefix.family];
  return isPair || isShort ? splitPrefix(prefix).flatMap(readable) : [prefix];
}
