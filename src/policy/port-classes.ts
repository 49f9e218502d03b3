/**
 * Port classes: rules by name with the same protocol and ports share one set of granted addresses in the kernel, so
 * there are as many sets as different ports, and not as many as names.
 */
import { formatRange } from '../net/ranges.ts';
import type { NameRule } from './name-rule.ts';

export interface PortClass extends Pick<NameRule, 'protocol' | 'ranges'> {
  /** In the names of its sets, and in the datagrams that grant. */
  readonly number: number;
}

/** `tcp/443`; equal for rules of one class. */
export const classOf = ({ protocol, ranges }: Pick<NameRule, 'protocol' | 'ranges'>): string =>
  `${protocol}/${ranges.map(formatRange).join(',')}`;

/** Class → its number. */
export type ClassNumbers = ReadonlyMap<string, number>;

/** Numbers are below; more have other meanings in a datagram. */
const NUMBERS = 0xff00;

/**
 * The classes of some rules, sorted. The number of a class follows from the class itself, so it is the same in every
 * text: a grant that comes late finds its own class, or none, and never another. Two that would get the same number are
 * the exception: the second in order gets the next one.
 */
export const portClasses = (
  rules: readonly Pick<NameRule, 'protocol' | 'ranges'>[],
): readonly PortClass[] => {
  const classes = new Map(rules.map((rule) => [classOf(rule), rule]));
  const taken = new Set<number>();
  return [...classes.keys()].sort().flatMap((key) => {
    const rule = classes.get(key);
    if (rule === undefined) return [];
    let number = preferred(key);
    while (taken.has(number)) number = (number + 1) % NUMBERS;
    taken.add(number);
    return { number, protocol: rule.protocol, ranges: rule.ranges };
  });
};

export const numbersOf = (classes: readonly PortClass[]): ClassNumbers =>
  new Map(classes.map((one) => [classOf(one), one.number]));

/** FNV-1a: a digest would do too, but diagnostics also run in a browser. */
const preferred = (key: string): number =>
  [...key].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), 0x0100_0193) >>> 0, 0x811c_9dc5) %
  NUMBERS;
