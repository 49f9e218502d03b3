/**
 * The one retry policy of the controller.
 */
export interface Backoff {
  /** Milliseconds before the first retry. */
  readonly first: number;
  /** The longest wait, in milliseconds. */
  readonly most: number;
}

/**
 * Milliseconds to wait after `failures` failures in a row (1, 2, …): doubling, and half of it is random, so that
 * clients that fail together do not retry together. `random` gives 0 ≤ x < 1.
 */
export function delay(failures: number, { first, most }: Backoff, random: () => number): number {
  const whole = Math.min(most, first * 2 ** Math.min(failures - 1, 30));
  return whole / 2 + (whole / 2) * random();
}
