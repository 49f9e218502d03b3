/** Time and chance, passed in so that tests own them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { steadyNow } from '../../common/steady-clock.ts';

export interface Clock {
  /** Milliseconds since the epoch; it never goes back. */
  now(): number;
  /** Rejects at once, leaving no timer, when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: steadyNow,
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};
