/** The numbers of port classes: the policy gives them, for the text and for the proxy alike. */
import type { NameRule } from '../../policy/name-rule.ts';
import { type ClassNumbers, numbersOf, portClasses } from '../../policy/port-classes.ts';

export { type ClassNumbers, classOf } from '../../policy/port-classes.ts';

export const numberClasses = (rules: readonly NameRule[]): ClassNumbers => numbersOf(portClasses(rules));
