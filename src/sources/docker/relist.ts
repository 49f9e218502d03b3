/**
 * Finds the containers of a new list that must be inspected again: those that may have changed.
 *
 * A list has everything that may change while a container runs, but not its start time. A container that has been up
 * for longer than the time between two lists was not started in that time.
 */
import type { RunningContainer } from './engine.ts';

/** Milliseconds; less than the two minutes for which a container counts as just started. */
const LONGEST_BETWEEN = 100_000;

export class Relist {
  #before: ReadonlyMap<string, RunningContainer> = new Map();
  #listedAt: number | undefined;

  /** `listedAt`: when the list was requested, in ms since the epoch. */
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

  /** Events may have been missed: inspect all containers of the next list. */
  forget(): void {
    this.#listedAt = undefined;
  }
}
