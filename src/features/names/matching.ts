/**
 * Which rules are about a name. Looked up by keys, so the number of rules does not matter.
 */
import { type Name, nameKey } from '../../dns/name.ts';
import { type Depth, formatNameRule, type NameRule } from '../../policy/name-rule.ts';

type RulesByKey = ReadonlyMap<string, readonly NameRule[]>;

/** The rules of a namespace by name. */
export interface NameIndex {
  readonly rules: readonly NameRule[];
  readonly byDepth: Readonly<Record<Depth, RulesByKey>>;
  /** Labels of the longest name with a star before it: longer ends of a name need no look. */
  readonly longest: number;
}

export const indexRules = (rules: readonly NameRule[]): NameIndex => {
  const byDepth = { self: keyed(rules, 'self'), one: keyed(rules, 'one'), any: keyed(rules, 'any') };
  const lengths = rules.map(({ name }) => name.length);
  return { rules, byDepth, longest: lengths.reduce((most, length) => Math.max(most, length), 0) };
};

const keyed = (rules: readonly NameRule[], depth: Depth): RulesByKey =>
  Map.groupBy(
    rules.filter((rule) => rule.depth === depth),
    ({ name }) => nameKey(name),
  );

/** The rules that the other index does not have. */
export const lostRules = (before: NameIndex, after: NameIndex): readonly NameRule[] => {
  const left = new Set(after.rules.map(formatNameRule));
  return before.rules.filter((rule) => !left.has(formatNameRule(rule)));
};

/** The rules about a name, the most specific first: the name itself, then stars, those over more labels first. */
export const matchRules = (index: NameIndex, name: Name): readonly NameRule[] => {
  const { byDepth, longest } = index;
  const found = [...(byDepth.self.get(nameKey(name)) ?? [])];
  for (let from = Math.max(1, name.length - longest); from < name.length; from++) {
    const key = nameKey(name.slice(from));
    if (from === 1) found.push(...(byDepth.one.get(key) ?? []));
    found.push(...(byDepth.any.get(key) ?? []));
  }
  return found;
};

/** Names with more labels are no work of a search list. */
const MOST_SEARCHED = 32;

/**
 * Whether a resolver may have made the name of one that is allowed, by adding a search domain to it:
 * `api.example.com.corp.example`. Some resolvers end their search at REFUSED, and never ask for the name itself.
 */
export const isSearchName = (name: Name, isAllowed: (name: Name) => boolean): boolean => {
  if (name.length > MOST_SEARCHED) return false;
  for (let length = name.length - 1; length > 0; length--) if (isAllowed(name.slice(0, length))) return true;
  return false;
};
