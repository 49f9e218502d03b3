/**
 * Addresses that were granted to names, and are not any more: their lifetime is over, but flows to them may go on for as
 * long as the rules allow their names. The last ones are recorded.
 */
import { elementKey, type GrantElement } from './grant.ts';

/** Addresses that are recorded for a namespace. */
const MOST_PAST = 2_048;

interface Past extends GrantElement {
  readonly names: Set<string>;
}

export class PastGrants {
  readonly #most: number;
  /** The one that ended longest ago first. */
  readonly #elements = new Map<string, Past>();

  constructor(most = MOST_PAST) {
    this.#most = most;
  }

  /** A name needs the element no longer. */
  add(name: string, { portClass, address }: GrantElement): void {
    const key = elementKey({ portClass, address });
    const past = this.#elements.get(key) ?? { portClass, address, names: new Set() };
    this.#elements.delete(key);
    this.#elements.set(key, past);
    past.names.add(name);
    const [oldest] = this.#elements.size > this.#most ? this.#elements.keys() : [];
    if (oldest !== undefined) this.#elements.delete(oldest);
  }

  /** Forgets what no name may have any more. Whether there was any: flows to it must end. */
  retain(isAllowed: (name: string, element: GrantElement) => boolean): boolean {
    const before = this.#elements.size;
    for (const [key, past] of this.#elements) {
      for (const name of past.names) if (!isAllowed(name, past)) past.names.delete(name);
      if (past.names.size === 0) this.#elements.delete(key);
    }
    return this.#elements.size < before;
  }

  elements(): readonly GrantElement[] {
    return [...this.#elements.values()].map(({ portClass, address }) => ({ portClass, address }));
  }
}
