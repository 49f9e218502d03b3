/**
 * Shares the one thread of the program between questions and all else that it does. In each turn of the event loop
 * questions get half a millisecond. What comes beyond waits for the next turn, in which Consul, Docker and the loads of
 * rules are served as well; of those who wait, each has its turn, so that a flood of one does not keep others waiting.
 */

/** Milliseconds of a turn. */
const BUDGET = 0.5;

export class Turns {
  readonly #now: () => number;
  readonly #later: (work: () => void) => void;
  /** Asker → its work; the asker whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isBegun = false;
  #end = 0;

  /** `now`: milliseconds. `later`: calls in the next turn. */
  constructor(
    now: () => number = () => performance.now(),
    later: (work: () => void) => void = (work) => setImmediate(work),
  ) {
    this.#now = now;
    this.#later = later;
  }

  /** Does the work now or soon. False if `most` of the asker wait already: then it is not done. */
  run(asker: string, work: () => void, most = Number.POSITIVE_INFINITY): boolean {
    if (!this.#isBegun) this.#begin();
    if (this.#waiting.size === 0 && this.#now() < this.#end) {
      work();
      return true;
    }
    const waiting = this.#waiting.get(asker);
    if (waiting !== undefined && waiting.length >= most) return false;
    if (waiting === undefined) this.#waiting.set(asker, [work]);
    else waiting.push(work);
    return true;
  }

  #begin(): void {
    this.#isBegun = true;
    this.#end = this.#now() + BUDGET;
    this.#later(this.#next);
  }

  readonly #next = (): void => {
    this.#isBegun = false;
    if (this.#waiting.size === 0) return;
    // Whatever the work does, what waits has its turn.
    this.#begin();
    for (const [asker, waiting] of this.#waiting) {
      this.#waiting.delete(asker);
      const work = waiting.shift();
      if (waiting.length > 0) this.#waiting.set(asker, waiting);
      work?.();
      if (this.#now() >= this.#end) return;
    }
  };
}
