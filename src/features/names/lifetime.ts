/**
 * How long an address stays granted: for the lifetime of its record, and for a grace beyond it, as many programs keep
 * an address longer than they may.
 */

import { timeoutFor } from '../../policy/name-seal.ts';

/** Seconds that a grant lasts at most. */
export const LONGEST_GRANT = 86_400;

export interface Lifetime {
  /** Of the record in the answer: a workload that obeys it never has an address that is no longer granted. */
  readonly ttl: number;
  /** Of the grant, from now. */
  readonly grant: number;
  /** The same for the kernel, which has a few fixed timeouts. */
  readonly timeout: number;
  /** A grant that lasts so much longer already needs no renewal: half of the grace is left. */
  readonly enough: number;
}

/** `ttl`: of the record, 0 to 2³¹ − 1 seconds. `grace`: seconds. */
export const lifetimeOf = (ttl: number, grace: number): Lifetime => {
  const beyond = Math.min(grace, LONGEST_GRANT);
  const kept = Math.min(ttl, LONGEST_GRANT - beyond);
  // A grant of no time would be none.
  const grant = Math.max(kept + beyond, 1);
  return { ttl: kept, grant, timeout: timeoutFor(grant), enough: kept + beyond / 2 };
};
