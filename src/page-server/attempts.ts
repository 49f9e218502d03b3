/**
 * Limits how often a wrong token may be tried: some at once from an address, then one in each interval.
 */
export interface AttemptLimits {
  /** Wrong tokens at once. */
  readonly burst: number;
  /** Milliseconds until another may be tried. */
  readonly interval: number;
  /** The most addresses that are kept. */
  readonly most: number;
}

export class Attempts {
  readonly #limits: AttemptLimits;
  readonly #now: () => number;
  /** When the attempts of an address count no more, by address, in the order of the last attempt. */
  readonly #until = new Map<string, number>();

  constructor(limits: AttemptLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Milliseconds to wait before a token of this address is looked at; 0: none. */
  wait(address: string): number {
    const { burst, interval } = this.#limits;
    return Math.max(0, (this.#until.get(address) ?? 0) - this.#now() - (burst - 1) * interval);
  }

  failed(address: string): void {
    const until = Math.max(this.#until.get(address) ?? 0, this.#now()) + this.#limits.interval;
    this.#until.delete(address);
    const [oldest] = this.#until.keys();
    if (oldest !== undefined && this.#until.size >= this.#limits.most) this.#until.delete(oldest);
    this.#until.set(address, until);
  }
}
