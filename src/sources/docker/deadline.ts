/**
 * Every request to the Engine has an end.
 *
 * The client library answers neither for a request that is aborted while its response is read nor for a
 * response that is cut: its promise stays open for good. So the request is aborted *and* left behind.
 */
import { EngineTimeout } from './errors.ts';

/** Runs a request for at most `limit` milliseconds. `what` completes "could not …". */
export async function withDeadline<T>(
  limit: number,
  what: string,
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new EngineTimeout(`The Docker Engine did not answer for ${limit / 1000} s: could not ${what}.`));
    controller.abort();
  }, limit);
  try {
    return await Promise.race([request(controller.signal), silence]);
  } finally {
    clearTimeout(timer);
  }
}
