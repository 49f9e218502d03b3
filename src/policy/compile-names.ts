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
export interface NameMatch {
  readonly key: string;
  readonly line: RuleLine;
  readonly rule: NameRule;
}

export interface CompiledNames {
  readonly matches: readonly NameMatch[];
  /** All that the matches need. */
  readonly classes: readonly PortClass[];
  /** Of rules that are not among the matches. */
  readonly problems: readonly Problem[];
  /** There are rules, but they grant nothing for now: that is no reason to ask other resolvers. */
  readonly isSuspended?: true;
}

export const NO_NAMES: CompiledNames = { matches: [], classes: [], problems: [] };

export const SUSPENDED_NAMES: CompiledNames = { ...NO_NAMES, isSuspended: true };

export const compileNames = (keys: readonly AclKey[]): CompiledNames => {
  const all = keys.flatMap(({ key, rules }) => rules.flatMap((line) => matchOf(key, line)));
  if (all.length === 0) return NO_NAMES;
  const classes = new Set([...new Set(all.map(({ rule }) => classOf(rule)))].slice(0, MOST_CLASSES));
  const has = ({ rule }: NameMatch): boolean => classes.has(classOf(rule));
  const matches = all.filter(has);
  return {
    matches,
    classes: portClasses(matches.map(({ rule }) => rule)),
    problems: all.filter((match) => !has(match)).map((match) => problemOf(match, TOO_MANY)),
  };
};

const matchOf = (key: string, line: RuleLine): readonly NameMatch[] =>
  line.rule.kind === 'name' ? [{ key, line, rule: line.rule }] : [];

const TOO_MANY = `the rules by name of its keys have more than ${MOST_CLASSES} different lists of ports, so it grants nothing; give it the ports of another`;

/** The problems of rules by name that grant nothing, as the reason says. */
export const deniedNames = ({ matches }: CompiledNames, reason: string): readonly Problem[] =>
  matches.map((match) => problemOf(match, `${reason}, so it grants nothing; ${insteadOf(match)}`));

const problemOf = ({ key, line: { line, text } }: NameMatch, reason: string): Problem => ({
  ...{ severity: 'error', key, line, text, reason },
});

/** A service that was given ports looks like a name. */
const insteadOf = ({ rule: { name, depth } }: NameMatch): string => {
  const text = name.join('.');
  return depth === 'self' && name.length > 1 && !mayBeHostName(text)
    ? `write its addresses, or ${text} alone if it is a service of Consul`
    : 'write its addresses';
};
