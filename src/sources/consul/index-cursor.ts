/**
 * Where the next read of a question begins: at once, or when something moves beyond what is known.
 */
import type { How } from './client.ts';

export class Position {
  /** Where the next query blocks; undefined: it reads at once. */
  #index: bigint | undefined;
  /** A read at once is to be consistent: nothing is known, or an answer looked wrong. */
  #isConsistent = true;
  /** The last query blocked until its end, and nothing had moved. */
  #isQuiet = false;

  /**
   * `wait`: how long it may block, in ms; `share` of it, from 0 to 1, where something had moved: what
   * made a fleet ask in one instant must not make it ask again in one, a `wait` later.
   */
  next(wait: number, share: number): How {
    if (this.#index === undefined) return { kind: this.#isConsistent ? 'consistent' : 'stale' };
    return { kind: 'blocking', index: this.#index, wait: this.#isQuiet ? wait : Math.ceil(wait * share) };
  }

  /** Index 0 would not block, and some versions send it: 1 is always safe to wait on (Consul's advice). */
  blockOn(answered: bigint): void {
    const index = answered > 1n ? answered : 1n;
    this.#isQuiet = index === this.#index;
    this.#index = index;
  }

  readAtOnce({ consistent }: { readonly consistent: boolean }): void {
    this.#index = undefined;
    this.#isConsistent = consistent;
  }
}
