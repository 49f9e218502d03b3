/**
 * What a feature is: a folder of its own that says what it desires, given what exists. How that is brought about is
 * its driver's, and when is the reconciler's.
 */
import type { Plan } from '../common/plan.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ServiceRef } from '../inventory/service.ts';

export interface Feature<Desired> {
  /** The services of Consul of which its plan must know. */
  references?(inventory: Inventory): readonly ServiceRef[];
  plan(inventory: Inventory): Plan<Desired>;
}
