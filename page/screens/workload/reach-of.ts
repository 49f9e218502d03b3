/**
 * Reach by the present rules: loaded apart from the screen, as it needs the parser.
 */
import { type KeyReach, reachOf } from '../../rules/reach.ts';
import { snapshot } from '../../rules/snapshot.ts';

/** Undefined while the rules are not known. */
export const presentReach = (grants: readonly string[]): readonly KeyReach[] | undefined =>
  snapshot.value && reachOf(grants, snapshot.value);
