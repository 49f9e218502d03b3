/**
 * Limits how many questions of a namespace are looked at: a flood of one must leave time for the others.
 */
export class RateLimit {
  readonly #perSecond: number;
  #left: number;
  #at = 0;

  /** A second's worth may come at once. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
    this.#left = perSecond;
  }

  /** Whether one more may come. `now`: milliseconds. */
  take(now: number): boolean {
    if (now > this.#at) {
      const added = ((now - this.#at) * this.#perSecond) / 1000;
      this.#left = Math.min(this.#perSecond, this.#left + added);
      this.#at = now;
    }
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /**
   * Whether what came may be worked on, which costs as much as so many of them. It counts in any case, as it was asked for:
   * the next ones wait for it, up to a second's worth.
   */
  spend(cost: number): boolean {
    const isEnough = cost === 0 || this.#left >= cost;
    this.#left = Math.max(-this.#perSecond, this.#left - cost);
    return isEnough;
  }
}
