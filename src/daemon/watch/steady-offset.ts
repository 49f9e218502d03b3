/**
 * From the controller's clock to the host's. The two drift by parts of a millisecond, and a time that is computed anew
 * must not differ each time: so the difference stays until the host's clock is set.
 */

/** Milliseconds that the difference may be wrong. */
const TOLERANCE = 500;

export function steadyOffset(now: () => number, steadyNow: () => number): () => number {
  let kept: number | undefined;
  return () => {
    const offset = now() - steadyNow();
    if (kept === undefined || Math.abs(offset - kept) > TOLERANCE) kept = offset;
    return kept;
  };
}
