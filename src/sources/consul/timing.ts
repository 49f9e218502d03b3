/**
 * The pauses between reads of Consul. All have a random part, because thousands of hosts see a failure or an edit at
 * the same instant (docs/scaling.md).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { delay } from '../../common/backoff.ts';
import { steadyNow } from '../../common/steady-clock.ts';

export interface Clock {
  /** Milliseconds since the epoch; it never goes back. */
  now(): number;
  /** Rejects at once, leaving no timer, when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** All times in ms. */
export interface Timing {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** The longest pause between two tries; it limits the delay after the end of a failure. */
  readonly longestPause: number;
  /** The longest pause before a suspicious result is read again; the shortest is half of it. */
  readonly reread: number;
}

export const defaultTiming: Timing = {
  clock: { now: steadyNow, sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
  random: Math.random,
  longestPause: 5_000,
  reread: 300,
};

const FIRST_PAUSE = 250;
/** After this time without a failure, the next failure starts with the first pause again. */
const STEADY = 5_000;

/** Pauses that double with each failure. */
export class RetryPause {
  readonly #timing: Timing;
  #failures = 0;
  #goodSince: number | undefined;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  succeeded(): void {
    this.#goodSince ??= this.#timing.clock.now();
  }

  /** The pause before the next try, in ms. */
  failed(): number {
    const { clock, random, longestPause } = this.#timing;
    if (this.#goodSince !== undefined && clock.now() - this.#goodSince >= STEADY) this.#failures = 0;
    this.#goodSince = undefined;
    this.#failures += 1;
    return delay(this.#failures, { first: FIRST_PAUSE, most: longestPause }, random);
  }
}
