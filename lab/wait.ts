/** Waiting, always with an end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from './errors.ts';

export interface WaitOptions {
  /** What is awaited, for the error: "Consul to elect a leader". */
  readonly what: string;
  /** Milliseconds; default 60 000. */
  readonly timeout?: number;
  /** Milliseconds between two looks; default 50. */
  readonly interval?: number;
}

/** Calls `look` until it returns something other than undefined or false, and returns that. */
export async function waitFor<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { what, timeout = 60_000, interval = 50 }: WaitOptions,
): Promise<T> {
  const end = performance.now() + timeout;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new LabError(`Waited ${timeout / 1000} s in vain for ${what}.`);
    await sleep(interval);
  }
}
