/**
 * A feature plans what it desires, from the inventory. Its driver applies the plan, and the reconciler decides
 * when.
 */
import type { Condition } from '../common/condition.ts';
import type { Plan } from '../common/plan.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { Loaded } from '../inventory/ruleset.ts';
import type { ServiceRef } from '../inventory/service.ts';

export interface Feature<Desired> {
  /** The services of Consul that its plan needs. */
  references?(inventory: Inventory): readonly ServiceRef[];
  plan(inventory: Inventory): Plan<Desired>;
}

/** What the reconciler knows of the rules of one namespace, for the status that a feature makes of it. */
export interface Reconciled<Desired> {
  readonly desired: Desired;
  readonly observed: { readonly loaded: Loaded } | undefined;
  /** When it was loaded or last verified, in ms since the epoch. */
  readonly verifiedAt: number | undefined;
  readonly lastError: Error | undefined;
  readonly condition: Condition;
}
