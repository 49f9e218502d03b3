/**
 * Limits the log lines of one container: `most` at once, and as many again in each window. Lines beyond are
 * counted, and the count is reported at most once a minute.
 */
const MINUTE = 60_000;

export class LineBudget {
  readonly #most: number;
  readonly #window: number;
  #left: number;
  #filledAt = Number.NEGATIVE_INFINITY;
  #more = 0;
  #reportedMoreAt = Number.NEGATIVE_INFINITY;

  /** `window` in milliseconds. */
  constructor(most: number, window: number) {
    this.#most = most;
    this.#window = window;
    this.#left = most;
  }

  /** Returns how many of the wanted lines may be written, and how many were left out since the last report. */
  take(wanted: number, now: number): { readonly lines: number; readonly more: number } {
    const gained = ((now - this.#filledAt) / this.#window) * this.#most;
    this.#left = Math.min(this.#most, this.#left + gained);
    this.#filledAt = now;
    const lines = Math.min(wanted, Math.floor(this.#left));
    this.#left -= lines;
    this.#more += wanted - lines;
    if (this.#more === 0 || now - this.#reportedMoreAt < MINUTE) return { lines, more: 0 };
    const more = this.#more;
    this.#more = 0;
    this.#reportedMoreAt = now;
    return { lines, more };
  }
}
