/**
 * What the reconciler knows of one name of a feature between two jobs.
 */

export interface ReconcileState<Desired, Observed> {
  readonly name: string;
  readonly desired: Desired;
  /** True if nothing of ours shall be there. */
  readonly isReleased: boolean;
  /** What was last seen there; undefined if it must be inspected before anything else. */
  readonly observed: Observed | undefined;
  /** The same, also after a failure. */
  readonly last: Observed | undefined;
  /** When it was last found or made as desired, in ms by the reconciler's clock. */
  readonly verifiedAt: number | undefined;
  /** In a row. */
  readonly failures: number;
  readonly lastError: Error | undefined;
  /** True while its job waits for a better plan. */
  readonly isWaiting: boolean;
}

/**
 * - `pending`: no job has ended well yet, or one waits for a better plan.
 * - `inSync`: it is as desired, as far as known.
 * - `released`: nothing of ours is there, or will be in a moment.
 * - `failed`: the last attempt failed; it is tried again.
 */
export type Condition = 'pending' | 'inSync' | 'released' | 'failed';

export function conditionOf(state: ReconcileState<unknown, unknown>): Condition {
  if (state.lastError !== undefined) return 'failed';
  if (state.isReleased) return 'released';
  return state.observed === undefined || state.isWaiting ? 'pending' : 'inSync';
}
