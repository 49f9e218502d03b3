/**
 * The lines of keys that are rules by name, and which of them are about a name.
 */
import { isWithin, type Name } from '../dns/name.ts';
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

/** Whether a rule is about the name. */
export const isAbout = ({ rule }: NameLine, name: Name): boolean => {
  const above = name.length - rule.name.length;
  const isDeep = { self: above === 0, one: above === 1, any: above > 0 }[rule.depth];
  return isDeep && isWithin(name, rule.name);
};

/** Whether it allows the port, at whatever its names lead to. */
export const allowsPort = (
  { protocol, ranges }: Pick<NameRule, 'protocol' | 'ranges'>,
  wanted: { readonly protocol: string; readonly port: number },
): boolean => protocol === wanted.protocol && covers(ranges, { first: wanted.port, last: wanted.port });
