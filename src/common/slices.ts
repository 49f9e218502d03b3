/**
 * Runs long computations in slices, so that they do not delay others: a generator yields wherever it may pause.
 */

export type Steps<T> = Generator<undefined, T>;

interface Pace {
  /** Milliseconds, by any clock. */
  readonly now: () => number;
  /** Lets others run. */
  readonly pause: () => Promise<void>;
  /** Milliseconds of a slice. */
  readonly slice: number;
}

/** A request that comes meanwhile waits for the end of a slice. */
const PACE: Pace = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
  slice: 20,
};

export async function inSlices<T>(steps: Steps<T>, pace: Partial<Pace> = {}): Promise<T> {
  const { now, pause, slice } = { ...PACE, ...pace };
  let end = now() + slice;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (now() < end) continue;
    await pause();
    end = now() + slice;
  }
}

export function atOnce<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}
