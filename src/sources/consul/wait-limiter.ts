/**
 * How long the queries of one question may hang, after what became of those before. Short ones end soon by
 * themselves, so they are what it takes wherever a long one was of no use.
 */

/** For how long, in ms, after a long query failed alone: there may be a proxy that hangs up after a minute. */
const distrust = 3_600_000;
/** What fails within so many ms fails together. */
const coincidence = 5_000;

export interface TrustOptions {
  /** A query that hangs this long at most, in ms, is short. */
  readonly short: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

export class Trust {
  readonly #options: TrustOptions;
  #shortUntil = Number.NEGATIVE_INFINITY;
  /** When a query failed by itself that had hung for longer than a short one may. */
  #brokeAt: number | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** How long the next query hangs, in ms, where it may `wait`. `troubleAt`: when the rules last failed. */
  next(wait: number, now: number, troubleAt: number): number {
    if (this.#brokeAt !== undefined && Math.abs(this.#brokeAt - troubleAt) > coincidence) {
      this.#shortUntil = this.#brokeAt + distrust;
    }
    this.#brokeAt = undefined;
    return now < this.#shortUntil ? Math.min(wait, this.#short()) : wait;
  }

  failed(since: number, now: number): void {
    if (now - since > this.#options.short) this.#brokeAt = now;
  }

  /** Consul counts the connection of a query that was given up until its time, and a sixteenth, is over. */
  gaveUp(wait: number, now: number): void {
    this.#shortUntil = now + wait + wait / 16;
  }

  /** Many are given up within seconds: chance makes their next ones end apart from each other. */
  #short(): number {
    return Math.ceil((this.#options.short * (1 + this.#options.random())) / 2);
  }
}
