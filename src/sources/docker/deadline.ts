/**
 * Every request to the Engine has an end.
 *
 * The client library never settles its promise if a request is aborted while its response is read, or if a response is
 * cut off. So the request is aborted, and its promise is also abandoned.
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
