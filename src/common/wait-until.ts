/**
 * Waits for a result for a limited time.
 */

/** The result of `promise`, or `otherwise` if it fails or takes longer than `limit` milliseconds. */
export async function waitUntil<T, Otherwise>(
  limit: number,
  promise: Promise<T>,
  otherwise: Otherwise,
): Promise<T | Otherwise> {
  const { promise: late, resolve } = Promise.withResolvers<Otherwise>();
  const timer = setTimeout(() => resolve(otherwise), limit);
  try {
    return await Promise.race([promise.catch(() => otherwise), late]);
  } finally {
    clearTimeout(timer);
  }
}
