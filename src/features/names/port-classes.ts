/**
 * Port classes: rules by name with the same protocol and ports share one set of granted addresses in the kernel, so
 * there are as many sets as different ports, and not as many as names.
 */

import { formatRange } from '../../net/ranges.ts';
import type { NameRule } from '../../policy/name-rule.ts';

/** `tcp/443`; equal for rules of one class. */
export const classOf = ({ protocol, ranges }: Pick<NameRule, 'protocol' | 'ranges'>): string =>
  `${protocol}/${ranges.map(formatRange).join(',')}`;

/** Class → the number in the names of its sets. */
export type ClassNumbers = ReadonlyMap<string, number>;

/**
 * Numbers for the classes of some rules. A class keeps its number as long as it is there, so a change of other rules
 * moves no granted address to another set; a new one takes the lowest that is free.
 */
export const numberClasses = (
  rules: readonly NameRule[],
  previous: ClassNumbers = new Map(),
): ClassNumbers => {
  const classes = [...new Set(rules.map(classOf))].sort();
  const kept = classes.flatMap((one) => previous.get(one) ?? []);
  const free = freeNumbers(new Set(kept));
  return new Map(classes.map((one) => [one, previous.get(one) ?? free.next().value ?? 0]));
};

function* freeNumbers(taken: ReadonlySet<number>): Generator<number, number> {
  let number = 0;
  for (; ; number++) if (!taken.has(number)) yield number;
}
