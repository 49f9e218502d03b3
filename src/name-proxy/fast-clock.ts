/**
 * A clock that is read many times for each question. The one that it follows reads a file each time, which takes longer
 * than to answer from the cache; so that one is read once a second, and the processor's counter in between.
 */
export class FastClock {
  readonly #slow: () => number;
  /** Milliseconds from any point in time. */
  readonly #ticks: () => number;
  #slowThen: number;
  #ticksThen: number;

  constructor(slow: () => number, ticks: () => number = () => performance.now()) {
    this.#slow = slow;
    this.#ticks = ticks;
    this.#slowThen = slow();
    this.#ticksThen = ticks();
  }

  /** Whole milliseconds. */
  readonly now = (): number => Math.floor(this.#slowThen + this.#ticks() - this.#ticksThen);

  /** To be called each second. It never goes back. */
  follow(): void {
    this.#slowThen = Math.max(this.#slow(), this.now());
    this.#ticksThen = this.#ticks();
  }
}
