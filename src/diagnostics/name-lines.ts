/**
 * The lines of keys that are rules by name, and which of them are about a name.
 */
import { isWithin, type Name, nameKey } from '../dns/name.ts';
import { covers } from '../net/ranges.ts';
import type { AclKey } from '../policy/acl.ts';
import type { NameRule, RuleLine } from '../policy/rule.ts';

export interface NameLine {
  readonly key: string;
  readonly line: RuleLine;
  readonly rule: NameRule;
}

export const nameLines = (keys: Iterable<AclKey>): readonly NameLine[] =>
  [...keys].flatMap(({ key, rules }) =>
    rules.flatMap((line) => (line.rule.kind === 'name' ? [{ key, line, rule: line.rule }] : [])),
  );

/** Finds the lines about a name, the most specific first, however many lines there are. */
export const indexNameLines = (lines: readonly NameLine[]): ((name: Name) => readonly NameLine[]) => {
  const byName = Map.groupBy(lines, ({ rule }) => nameKey(rule.name));
  return (name) =>
    name.flatMap((_, from) =>
      (byName.get(nameKey(name.slice(from))) ?? []).filter((line) => isAbout(line, name)),
    );
};

const isAbout = ({ rule }: NameLine, name: Name): boolean => {
  const above = name.length - rule.name.length;
  const isDeep = { self: above === 0, one: above === 1, any: above > 0 }[rule.depth];
  return isDeep && isWithin(name, rule.name);
};

/** Whether it allows the port, at whatever its names lead to. */
export const allowsPort = (
  { protocol, ranges }: Pick<NameRule, 'protocol' | 'ranges'>,
  wanted: { readonly protocol: string; readonly port: number },
): boolean => protocol === wanted.protocol && covers(ranges, { first: wanted.port, last: wanted.port });
