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
  /** The same once `burst` is used up; default 500, so that an edit still arrives within a second. */
  readonly longest?: number;
  /** Reads in quick succession; one more is earned in each `longest`. Default 8. */
  readonly burst?: number;
}

/** A key that is written hundreds of times per second costs two reads per second. */
export class Pace {
  readonly #options: Required<PaceOptions>;
  #left: number;
  #lastStart = Number.NEGATIVE_INFINITY;

  constructor({ shortest = 100, longest = 500, burst = 8 }: PaceOptions = {}) {
    this.#options = { shortest, longest, burst };
    this.#left = burst;
  }

  /** How long the next read has to wait, in ms. */
  delay(now: number): number {
    const { shortest, longest } = this.#options;
    const interval = this.#left >= 1 ? shortest : longest;
    // A clock that was set back must not stop us.
    return Math.min(Math.max(this.#lastStart + interval - now, 0), interval);
  }

  started(now: number): void {
    const { longest, burst } = this.#options;
    const earned = Math.max(now - this.#lastStart, 0) / longest;
    this.#left = Math.max(Math.min(this.#left + earned, burst) - 1, 0);
    this.#lastStart = now;
  }
}
