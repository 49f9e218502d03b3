/**
 * How often a source is read: `Backoff` after failures, `Pace` while it changes all the time.
 */

export interface BackoffOptions {
  /** Upper bound of the first pause, in ms; default 100. It doubles with each failure. */
  readonly first?: number;
  /** Upper bound of all pauses; default 30 s. */
  readonly longest?: number;
  /** What works for this long counts as recovered: the next failure starts anew. Default 5 s. */
  readonly steady?: number;
  readonly random?: () => number;
}

/** Exponential, with full jitter: many watches that lost Consul together must not return together. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;
  #goodSince: number | undefined;

  constructor({ first = 100, longest = 30_000, steady = 5_000, random = Math.random }: BackoffOptions = {}) {
    this.#options = { first, longest, steady, random };
  }

  succeeded(now: number): void {
    this.#goodSince ??= now;
  }

  /** The pause before the next try, in ms. */
  failed(now: number): number {
    const { first, longest, steady, random } = this.#options;
    if (this.#goodSince !== undefined && now - this.#goodSince >= steady) this.#failures = 0;
    this.#goodSince = undefined;
    // 2 ** 40 ms is 35 years: the exponent stays small however long Consul is away.
    const bound = Math.min(longest, first * 2 ** Math.min(this.#failures++, 40));
    return Math.floor(random() * bound);
  }
}

export interface PaceOptions {
  /** Time between the starts of two reads, in ms; default 100. */
  readonly shortest?: number;
  /** What it grows to while every read comes back at once; default 500: an edit arrives in a second. */
  readonly longest?: number;
}

/** A key that is written hundreds of times per second costs two reads per second. */
export class Pace {
  readonly #shortest: number;
  readonly #longest: number;
  #interval: number;
  #lastStart: number | undefined;

  constructor({ shortest = 100, longest = 500 }: PaceOptions = {}) {
    this.#shortest = shortest;
    this.#longest = longest;
    this.#interval = shortest;
  }

  /** How long the next read has to wait, in ms. */
  delay(now: number): number {
    if (this.#lastStart === undefined) return 0;
    // A clock that was set back must not stop us.
    return Math.min(Math.max(this.#lastStart + this.#interval - now, 0), this.#interval);
  }

  started(now: number): void {
    const since = this.#lastStart === undefined ? Number.POSITIVE_INFINITY : now - this.#lastStart;
    if (since >= this.#interval + 1_000) this.#interval = this.#shortest;
    else if (since < this.#interval * 2) this.#interval = Math.min(this.#interval * 2, this.#longest);
    this.#lastStart = now;
  }
}
