/**
 * How far something desired is, as the reconciler tells features and status.
 *
 * - `pending`: no job has ended well yet, or one waits for a better plan.
 * - `inSync`: it is as desired, as far as known.
 * - `released`: nothing of ours is there, or will be in a moment.
 * - `failed`: the last attempt failed; it is tried again.
 */
export type Condition = 'pending' | 'inSync' | 'released' | 'failed';
