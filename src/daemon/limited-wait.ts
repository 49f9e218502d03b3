/**
 * A wait that begins when it is first asked for, and ends once: for something that may never come.
 */
export class LimitedWait {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #onEnd: () => void;
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `limit`: milliseconds. `onEnd`: called when it is over, for which nobody else may ask again. */
  constructor(limit: number, now: () => number, onEnd: () => void) {
    this.#limit = limit;
    this.#now = now;
    this.#onEnd = onEnd;
  }

  isOver(): boolean {
    this.#since ??= this.#now();
    this.#timer ??= setTimeout(this.#onEnd, this.#limit + 1);
    return this.#now() - this.#since >= this.#limit;
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}
