/**
 * One pass over one name: inspect where that is needed, compare, and apply or release what differs.
 */
import type { Driver, Target } from './driver.ts';

/** `unchanged`: it was as desired already. */
export type Outcome = 'unchanged' | 'applied' | 'released';

export interface Reconciled<Observed> {
  readonly outcome: Outcome;
  readonly observed: Observed;
}

/** `known`: what is there, if nobody need look. */
export async function reconcile<Desired, Observed>(
  driver: Driver<Desired, Observed>,
  target: Target<Desired, Observed>,
  known?: Observed,
): Promise<Reconciled<Observed>> {
  const found = known ?? (await driver.inspect(target));
  if (target.isReleased) {
    if (driver.isAbsent(found)) return { outcome: 'unchanged', observed: found };
    return { outcome: 'released', observed: await driver.release(target, found) };
  }
  if (await driver.isInSync(target, found)) return { outcome: 'unchanged', observed: found };
  return { outcome: 'applied', observed: await driver.apply(target, found) };
}
