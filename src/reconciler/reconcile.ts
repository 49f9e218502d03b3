/**
 * One pass over one name: inspects if needed, compares, and applies or releases.
 */
import type { Driver, Target } from './driver.ts';

/** `unchanged`: it was already as desired. */
export type Outcome = 'unchanged' | 'applied' | 'released';

export interface Reconciled<Observed> {
  readonly outcome: Outcome;
  readonly observed: Observed;
}

/** `known`: the observed state, if no inspection is needed. */
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
