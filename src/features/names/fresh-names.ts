/**
 * Limits how many new names a workload may ask for under a wildcard, because each name that reaches a server of
 * somebody else carries what is written in it: a tunnel out needs ever new names.
 */

export interface FreshLimits {
  /** New names a minute, for each wildcard; also how many may come at once. */
  readonly perMinute: number;
  /** Names that are known for each wildcard; those that were not asked for longest are new again. */
  readonly memory: number;
}

export const DEFAULT_FRESH: FreshLimits = { perMinute: 100, memory: 2_000 };

interface Wildcard {
  /** New names that may come now. */
  left: number;
  /** When `left` was computed, in milliseconds. */
  at: number;
  /** Those asked for longest ago first. */
  readonly known: Set<string>;
  /** Goes on where it was: a new one would pass all places of removed names again. */
  oldest: Iterator<string, undefined>;
}

const dropOldest = (wildcard: Wildcard): void => {
  for (;;) {
    const { done, value } = wildcard.oldest.next();
    if (done !== true) {
      wildcard.known.delete(value);
      return;
    }
    wildcard.oldest = wildcard.known.values();
  }
};

const newWildcard = (left: number, at: number): Wildcard => {
  const known = new Set<string>();
  return { left, at, known, oldest: known.values() };
};

export class FreshNames {
  readonly #limits: FreshLimits;
  readonly #wildcards = new Map<string, Wildcard>();

  constructor(limits: FreshLimits = DEFAULT_FRESH) {
    this.#limits = limits;
  }

  /** Whether a name may be asked; a new one counts if it may. `wildcard`: as `formatNames` writes it. */
  admit(wildcard: string, name: string, now: number): boolean {
    const state = this.#stateOf(wildcard, now);
    if (!state.known.delete(name)) {
      if (state.left < 1) return false;
      state.left--;
    }
    state.known.add(name);
    if (state.known.size > this.#limits.memory) dropOldest(state);
    return true;
  }

  /** Forgets the wildcards that no rule has any more. */
  retain(wildcards: ReadonlySet<string>): void {
    for (const wildcard of this.#wildcards.keys())
      if (!wildcards.has(wildcard)) this.#wildcards.delete(wildcard);
  }

  #stateOf(wildcard: string, now: number): Wildcard {
    const { perMinute } = this.#limits;
    const known = this.#wildcards.get(wildcard);
    const state = known ?? newWildcard(perMinute, now);
    if (known === undefined) this.#wildcards.set(wildcard, state);
    const passed = Math.max(0, now - state.at);
    state.left = Math.min(perMinute, state.left + (passed * perMinute) / 60_000);
    state.at = Math.max(state.at, now);
    return state;
  }
}
