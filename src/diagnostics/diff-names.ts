/**
 * Computes which rules by name a workload would gain or lose by a new text of a key. What they lead to is not known
 * before it asks, so rules are compared, and a rule counts as covered by a broader one.
 */
import { isWithin, nameKey, sameName } from '../dns/name.ts';
import { contains } from '../net/address.ts';
import { covers } from '../net/ranges.ts';
import type { Acl, AclKey } from '../policy/acl.ts';
import { grantedKeys } from '../policy/compile.ts';
import { nameLines } from '../policy/compile-names.ts';
import { formatNameRule, isAbout, type NameRule } from '../policy/name-rule.ts';

export interface NameChanges {
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** `grants`: the keys of the workload, with the proposed one. */
export const nameChanges = (proposed: AclKey, acl: Acl, grants: readonly string[]): NameChanges => {
  const before = rulesOf(grantedKeys([proposed.key], acl));
  const after = rulesOf([proposed]);
  const others = rulesOf(
    grantedKeys(
      grants.filter((key) => key !== proposed.key),
      acl,
    ),
  );
  return {
    gained: beyond(after, [...before, ...others]),
    lost: beyond(before, [...after, ...others]),
  };
};

const rulesOf = (keys: readonly AclKey[]): readonly NameRule[] => nameLines(keys).map(({ rule }) => rule);

/** Looked up by names, because a key may have thousands of rules. */
const beyond = (rules: readonly NameRule[], others: readonly NameRule[]): readonly string[] => {
  const byName = Map.groupBy(others, ({ name }) => nameKey(name));
  const isCovered = (rule: NameRule): boolean =>
    rule.name.some((_, from) =>
      byName.get(nameKey(rule.name.slice(from)))?.some((other) => includes(other, rule)),
    );
  return [...new Set(rules.filter((rule) => !isCovered(rule)).map(formatNameRule))];
};

/** Whether all that the inner rule grants is granted by the outer one. */
const includes = (outer: NameRule, inner: NameRule): boolean =>
  outer.protocol === inner.protocol &&
  inner.ranges.every((range) => covers(outer.ranges, range)) &&
  includesNames(outer, inner) &&
  includesAddresses(outer, inner);

const includesNames = (outer: NameRule, inner: NameRule): boolean =>
  inner.depth === 'self'
    ? isAbout(outer, inner.name)
    : isWithin(inner.name, outer.name) &&
      (outer.depth === 'any' || (outer.depth === inner.depth && sameName(outer.name, inner.name)));

/** Without prefixes a rule grants public addresses. */
const includesAddresses = ({ prefixes: outer }: NameRule, { prefixes: inner }: NameRule): boolean =>
  outer.length === 0
    ? inner.length === 0
    : inner.length > 0 && inner.every((prefix) => outer.some((one) => contains(one, prefix)));
