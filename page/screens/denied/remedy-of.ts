/**
 * Remedies by the present rules: loaded apart from the screen, as it needs the parser and the diagnostics.
 */
import type { DeniedRow } from '../../../src/diagnostics/denied-answer.ts';
import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import { nameRemedyOf, putCommand, type Remedy, remedyOf } from '../../rules/allow.ts';
import { indexOf, snapshot } from '../../rules/snapshot.ts';

export { canBeSet, setCommand } from '../../rules/allow.ts';

/** Undefined while the rules are not known. */
export function forDestination(row: DeniedRow): Remedy | undefined {
  const present = snapshot.value;
  return present && remedyOf(row, present, indexOf(present));
}

export const forName = (row: DeniedNameRow): Remedy | undefined =>
  snapshot.value && nameRemedyOf(row, snapshot.value);

/** The command that adds a line to a key. */
export function put(key: string, line: string): string {
  const present = snapshot.peek();
  return present === undefined ? '' : putCommand(key, [line], present);
}
