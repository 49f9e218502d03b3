/**
 * Reach by the present rules: loaded apart from the screen, as it needs the parser.
 */
import type { WorkloadEntry } from '../../../src/live/tables.ts';
import { type AllowedKey, allowedBy } from '../../rules/allowed.ts';
import { snapshot } from '../../rules/snapshot.ts';

/** Undefined while the rules are not known. */
export function presentReach({ id, grants }: WorkloadEntry): readonly AllowedKey[] | undefined {
  const present = snapshot.value;
  const names = present?.namespaces?.find((one) => one.id === id)?.names;
  return present && allowedBy({ grants, names }, present);
}
