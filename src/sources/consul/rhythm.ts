/**
 * How often a source is read: `Backoff` after failures, `Pace` while it changes all the time. Both hold
 * chance, as thousands of hosts fail, and hear of an edit, in the same instant (docs/scaling.md).
 */

export interface BackoffOptions {
  /** Upper bound of the first pause, in ms; default 250. It doubles with each failure. */
  readonly first?: number;
  /** Upper bound of all pauses; default 5 s, so that a source is right within seconds of the fault's end. */
  readonly longest?: number;
  /** What works for this long counts as recovered: the next failure starts anew. Default 5 s. */
  readonly steady?: number;
  /** From 0 to 1; default: chance. */
  readonly random?: () => number;
}

/** Exponential, with full jitter: many watches that lost Consul together must not return together. */
export class Backoff {
  readonly #options: Required<BackoffOptions>;
  #failures = 0;
  #goodSince: number | undefined;

  constructor({ first = 250, longest = 5_000, steady = 5_000, random = Math.random }: BackoffOptions = {}) {
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
  /** Least time between the starts of two reads, in ms; default 100. Chance makes it up to half as long again. */
  readonly shortest?: number;
  /** The same once `burst` is used up; default 500, so that an edit still arrives within a second. */
  readonly longest?: number;
  /** Reads in quick succession; one more is earned in each `longest`. Default 6. */
  readonly burst?: number;
  /** From 0 to 1; default: chance. */
  readonly random?: () => number;
}

/** A key that is written hundreds of times per second costs a read or two per second. */
export class Pace {
  readonly #options: Required<PaceOptions>;
  #left: number;
  #lastStart = Number.NEGATIVE_INFINITY;
  /** Drawn anew with each read: hosts that were woken by the same edit come back one by one. */
  #stretch = 1;

  constructor({ shortest = 100, longest = 500, burst = 6, random = Math.random }: PaceOptions = {}) {
    this.#options = { shortest, longest, burst, random };
    this.#left = burst;
  }

  /** How long the next read has to wait, in ms. */
  delay(now: number): number {
    const { shortest, longest } = this.#options;
    const interval = Math.floor((this.#left >= 1 ? shortest : longest) * this.#stretch);
    // A clock that was set back must not stop us.
    return Math.min(Math.max(this.#lastStart + interval - now, 0), interval);
  }

  started(now: number): void {
    const { longest, burst, random } = this.#options;
    const earned = Math.max(now - this.#lastStart, 0) / longest;
    this.#left = Math.max(Math.min(this.#left + earned, burst) - 1, 0);
    this.#lastStart = now;
    this.#stretch = 1 + random() / 2;
  }
}
