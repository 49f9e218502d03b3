/**
 * Which rules by name are about a name and a port.
 */
import { type Name, nameKey } from '../dns/name.ts';
import { covers } from '../net/ranges.ts';
import type { NameLine } from '../policy/compile-names.ts';
import { isAbout, type NameRule } from '../policy/name-rule.ts';

/** Finds the lines about a name, the most specific first, however many lines there are. */
export const indexNameLines = (lines: readonly NameLine[]): ((name: Name) => readonly NameLine[]) => {
  const byName = Map.groupBy(lines, ({ rule }) => nameKey(rule.name));
  return (name) =>
    name.flatMap((_, from) =>
      (byName.get(nameKey(name.slice(from))) ?? []).filter(({ rule }) => isAbout(rule, name)),
    );
};

/** Whether it allows the port, at whatever its names lead to. */
export const allowsPort = (
  { protocol, ranges }: Pick<NameRule, 'protocol' | 'ranges'>,
  wanted: { readonly protocol: string; readonly port: number },
): boolean => protocol === wanted.protocol && covers(ranges, { first: wanted.port, last: wanted.port });
