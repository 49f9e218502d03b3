/**
 * The state of one name of a feature between two jobs.
 */
import type { Condition } from '../common/condition.ts';

export interface ReconcileState<Desired, Observed> {
  readonly name: string;
  readonly desired: Desired;
  /** True if everything of ours is to be removed. */
  readonly isReleased: boolean;
  /** The last observed state; undefined if it must be inspected first. */
  readonly observed: Observed | undefined;
  /** The same, also after a failure. */
  readonly last: Observed | undefined;
  /** When it was last verified or applied, in ms by the reconciler's clock. */
  readonly verifiedAt: number | undefined;
  /** In a row. */
  readonly failures: number;
  readonly lastError: Error | undefined;
  /** When it is tried again after a failure, by the same clock. */
  readonly retryAt?: number | undefined;
  /** True while its job waits for a better plan. */
  readonly isWaiting: boolean;
  readonly condition: Condition;
}

export function conditionOf(state: Omit<ReconcileState<unknown, unknown>, 'condition'>): Condition {
  if (state.lastError !== undefined) return 'failed';
  if (state.isReleased) return 'released';
  return state.observed === undefined || state.isWaiting ? 'pending' : 'inSync';
}
