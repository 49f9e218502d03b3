/**
 * The names that a workload has asked for, and when it did last. For programs that resolve a name once and keep its
 * addresses: these names are asked again before their grants end, for as long as an operator allows.
 */
import { type Name, nameKey } from '../../dns/name.ts';
import type { AskedQuestion } from '../../dns/question.ts';
import type { HeldGrant } from './grant.ts';

/** Names that are kept; those asked for longest ago are dropped. */
const MOST_ASKED = 1_000;
/** Milliseconds before the end of a grant. */
const LEAD = 20_000;
/** Milliseconds between two tries for a name. */
const PAUSE = 10_000;
/** Names that are asked at once. */
const AT_ONCE = 16;

interface Entry {
  readonly name: Name;
  readonly types: Set<number>;
  askedAt: number;
  repeatedAt: number;
}

export class AskedNames {
  readonly #window: number;
  /** The one asked for longest ago first. */
  readonly #entries = new Map<string, Entry>();

  /** `window`: milliseconds after the last question of the workload in which a name is asked again. */
  constructor(window: number) {
    this.#window = window;
  }

  asked({ name, type }: AskedQuestion, now: number): void {
    const key = nameKey(name);
    const entry = this.#entries.get(key) ?? { name, types: new Set(), askedAt: now, repeatedAt: now };
    entry.types.add(type);
    entry.askedAt = now;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.size > MOST_ASKED ? this.#entries.keys() : [];
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  /** The questions that are to be asked again now. `held`: what is granted. */
  due(held: readonly HeldGrant[], now: number): readonly AskedQuestion[] {
    const ends = endsOf(held);
    const found: AskedQuestion[] = [];
    for (const [key, entry] of this.#entries) {
      if (entry.askedAt + this.#window <= now) this.#entries.delete(key);
      else if ((ends.get(key) ?? Number.POSITIVE_INFINITY) - now <= LEAD && isRested(entry, now)) {
        entry.repeatedAt = now;
        for (const type of entry.types) found.push({ name: entry.name, type });
        if (found.length >= AT_ONCE) break;
      }
    }
    return found;
  }
}

const isRested = ({ repeatedAt }: Entry, now: number): boolean => repeatedAt + PAUSE <= now;

/** By the key of each name: when the first of its grants ends. */
const endsOf = (held: readonly HeldGrant[]): ReadonlyMap<string, number> => {
  const ends = new Map<string, number>();
  for (const { name, needed } of held) ends.set(name, Math.min(ends.get(name) ?? needed, needed));
  return ends;
};
