/**
 * Limits the questions that are answered at once: who asks much waits, and the controller's own work does not.
 */
import PQueue from 'p-queue';
import type { Limit } from '../api/diagnostics-routes.ts';

/** Answers are made one after the other, because they take the processor; another may wait for Consul meanwhile. */
const AT_ONCE = 2;
const MOST_WAITING = 64;

export class BusyError extends Error {
  readonly statusCode = 503;
}

export function limitQuestions(): Limit {
  const queue = new PQueue({ concurrency: AT_ONCE });
  return async (work) => {
    if (queue.size >= MOST_WAITING) throw new BusyError('too many questions at once; try again in a moment');
    return queue.add(async () => work());
  };
}
