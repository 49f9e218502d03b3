/**
 * The rules by name among granted keys, with the port classes that the kernel has sets for.
 */
import type { Problem } from '../common/problem.ts';
import { mayBeHostName } from '../net/host-name.ts';
import type { AclKey } from './acl.ts';
import type { NameRule } from './name-rule.ts';
import { MOST_CLASSES } from './name-seal.ts';
import { classOf, type PortClass, portClasses } from './port-classes.ts';
import type { RuleLine } from './rule.ts';

/** One rule by name: which key, which line. */
export interface NameLine {
  readonly key: string;
  readonly line: RuleLine;
  readonly rule: NameRule;
}

export const nameLines = (keys: Iterable<AclKey>): readonly NameLine[] =>
  [...keys].flatMap(({ key, rules }) =>
    rules.flatMap((line) => (line.rule.kind === 'name' ? [{ key, line, rule: line.rule }] : [])),
  );

export interface CompiledNames {
  readonly lines: readonly NameLine[];
  /** All that the lines need. */
  readonly classes: readonly PortClass[];
  /** Of rules that are not among the lines. */
  readonly problems: readonly Problem[];
  /** There are rules, but they grant nothing for now: that is no reason to ask other resolvers. */
  readonly isSuspended?: true;
}

export const NO_NAMES: CompiledNames = { lines: [], classes: [], problems: [] };

export const SUSPENDED_NAMES: CompiledNames = { ...NO_NAMES, isSuspended: true };

export const compileNames = (keys: readonly AclKey[]): CompiledNames => {
  const all = nameLines(keys);
  if (all.length === 0) return NO_NAMES;
  const classes = new Set([...new Set(all.map(({ rule }) => classOf(rule)))].slice(0, MOST_CLASSES));
  const has = ({ rule }: NameLine): boolean => classes.has(classOf(rule));
  const lines = all.filter(has);
  return {
    lines,
    classes: portClasses(lines.map(({ rule }) => rule)),
    problems: all.filter((line) => !has(line)).map((line) => problemOf(line, TOO_MANY)),
  };
};

const TOO_MANY = `the rules by name of its keys have more than ${MOST_CLASSES} different lists of ports, so it grants nothing; give it the ports of another`;

/** The problems of rules by name that grant nothing, as the reason says. */
export const deniedNames = ({ lines }: CompiledNames, reason: string): readonly Problem[] =>
  lines.map((line) => problemOf(line, `${reason}, so it grants nothing; ${insteadOf(line)}`));

const problemOf = ({ key, line: { line, text } }: NameLine, reason: string): Problem => ({
  ...{ severity: 'error', key, line, text, reason },
});

/** A service that was given ports looks like a name. */
const insteadOf = ({ rule: { name, depth } }: NameLine): string => {
  const text = name.join('.');
  return depth === 'self' && name.length > 1 && !mayBeHostName(text)
    ? `write its addresses, or ${text} alone if it is a service of Consul`
    : 'write its addresses';
};
