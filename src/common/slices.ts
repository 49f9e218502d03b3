/**
 * Runs long computations in slices, so that they do not delay others: a generator yields wherever it may pause.
 */

export type Steps<T> = Generator<undefined, T>;

interface Pace {
  /** Milliseconds, by any clock. */
  readonly now: () => number;
  /** Lets others run. */
  readonly pause: () => Promise<void>;
}

const PACE: Pace = {
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
};

/** Milliseconds of a slice. A request that comes meanwhile waits for its end. */
const SLICE = 20;

export async function inSlices<T>(steps: Steps<T>, { now, pause }: Pace = PACE): Promise<T> {
  let end = now() + SLICE;
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (now() < end) continue;
    await pause();
    end = now() + SLICE;
  }
}

export function atOnce<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}
