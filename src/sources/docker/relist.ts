/**
 * Finds the containers of a new list that must be inspected again: those that may have changed.
 *
 * A list lists all that may change while a container runs, but not when it was started. A container that
 * has been up for longer than the time between two lists was not started in that time.
 */
import type { RunningContainer } from './engine.ts';

/** Milliseconds; below the two minutes for which a container counts as just started. */
const LONGEST_BETWEEN = 100_000;

export class Relist {
  #before: ReadonlyMap<string, RunningContainer> = new Map();
  #listedAt: number | undefined;

  /** `listedAt`: when the list was asked for, in ms since the epoch. */
  changed(listed: readonly RunningContainer[], listedAt: number): readonly string[] {
    const passed = this.#listedAt === undefined ? Number.NaN : listedAt - this.#listedAt;
    const isSoon = passed >= 0 && passed <= LONGEST_BETWEEN;
    const before = isSoon ? this.#before : new Map<string, RunningContainer>();
    this.#before = new Map(listed.map((one) => [one.id, one]));
    this.#listedAt = listedAt;
    const same = ({ id, digest, isSettled }: RunningContainer) =>
      isSettled && before.get(id)?.digest === digest;
    return listed.filter((one) => !same(one)).map(({ id }) => id);
  }

  /** Something may have happened that nobody knows of: all of the next list are to be inspected. */
  forget(): void {
    this.#listedAt = undefined;
  }
}
