/**
 * Counts the addresses that are granted in a namespace, and those of each name, and compares them with the limits.
 * Addresses are keys, as `addressKey` makes them.
 */
import type { GrantLimits } from './grant.ts';

/** Many names may share an address, and an address may be in several sets; what that takes is bounded as well. */
const HOLDS_PER_ADDRESS = 4;

/** Keys, each with how often it was added and not removed. */
class Tally {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  /** Whether these keys would make more than `most`; those that are there already never do. */
  wouldExceed(most: number, keys: readonly string[]): boolean {
    const added = keys.filter((key) => !this.#counts.has(key)).length;
    return added > 0 && this.size + added > most;
  }

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  remove(key: string): void {
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}

const NONE = new Tally();

export class Holdings {
  readonly #limits: GrantLimits;
  /** Address → its elements in the sets of port classes. */
  readonly #addresses = new Tally();
  /** Key of a name → the same of what it holds. */
  readonly #ofNames = new Map<string, Tally>();
  /** Pairs of a name and an element. */
  #holds = 0;

  constructor(limits: GrantLimits) {
    this.#limits = limits;
  }

  /** Addresses of the namespace. */
  get size(): number {
    return this.#addresses.size;
  }

  /** The limit that would be exceeded if the name held these, with `added` more elements than it holds. */
  exceededBy(name: string, addresses: readonly string[], added: number): keyof GrantLimits | undefined {
    const { perName, perNamespace } = this.#limits;
    if ((this.#ofNames.get(name) ?? NONE).wouldExceed(perName, addresses)) return 'perName';
    const hasRoom = added === 0 || this.#holds + added <= HOLDS_PER_ADDRESS * perNamespace;
    return hasRoom && !this.#addresses.wouldExceed(perNamespace, addresses) ? undefined : 'perNamespace';
  }

  addElement(address: string): void {
    this.#addresses.add(address);
  }

  removeElement(address: string): void {
    this.#addresses.remove(address);
  }

  hold(name: string, address: string): void {
    this.#holds++;
    const tally = this.#ofNames.get(name) ?? new Tally();
    this.#ofNames.set(name, tally);
    tally.add(address);
  }

  release(name: string, address: string): void {
    this.#holds--;
    const tally = this.#ofNames.get(name);
    tally?.remove(address);
    if (tally?.size === 0) this.#ofNames.delete(name);
  }
}
