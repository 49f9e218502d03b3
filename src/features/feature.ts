/**
 * A feature plans what it desires, from the inventory. Its driver applies the plan, and the reconciler decides
 * when.
 */
import type { Plan } from '../common/plan.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { ServiceRef } from '../inventory/service.ts';

export interface Feature<Desired> {
  /** The services of Consul that its plan needs. */
  references?(inventory: Inventory): readonly ServiceRef[];
  plan(inventory: Inventory): Plan<Desired>;
}
