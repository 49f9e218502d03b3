/**
 * Finds what was filed under the prefixes around an address: one look-up per prefix length in use,
 * however many prefixes there are.
 */
import { type Family, type Prefix, prefixOf, WIDTH } from './address.ts';

type Shelf<T> = Map<number | string, T[]>;

export class PrefixIndex<T> {
  readonly #shelves: Readonly<Record<Family, Map<number, Shelf<T>>>> = { 4: new Map(), 6: new Map() };
  /** Prefix lengths in use, the longest first; undefined after a change. */
  #lengths: Readonly<Record<Family, readonly number[]>> | undefined;

  add(prefix: Prefix, value: T): void {
    const shelf = this.#shelf(prefix);
    const filed = shelf.get(keyOf(prefix));
    if (filed === undefined) shelf.set(keyOf(prefix), [value]);
    else filed.push(value);
  }

  /** What is filed under this very prefix. */
  at(prefix: Prefix): readonly T[] {
    return this.#shelves[prefix.family].get(prefix.length)?.get(keyOf(prefix)) ?? [];
  }

  /** What is filed under prefixes that contain this one (itself included), the narrowest first. */
  around(prefix: Prefix): readonly T[] {
    const { family, address, length } = prefix;
    return this.#inUse()
      [family].filter((one) => one <= length)
      .flatMap((one) => this.at(prefixOf(family, address, one)));
  }

  #shelf({ family, length }: Prefix): Shelf<T> {
    const known = this.#shelves[family].get(length);
    if (known !== undefined) return known;
    const shelf: Shelf<T> = new Map();
    this.#shelves[family].set(length, shelf);
    this.#lengths = undefined;
    return shelf;
  }

  #inUse(): Readonly<Record<Family, readonly number[]>> {
    const lengths = (family: Family) => [...this.#shelves[family].keys()].sort((a, b) => b - a);
    this.#lengths ??= { 4: lengths(4), 6: lengths(6) };
    return this.#lengths;
  }
}

/** No bigint: V8 hashes one by its low 64 bits, which are alike in many IPv6 addresses. */
const keyOf = ({ family, address }: Prefix): number | string =>
  WIDTH[family] === WIDTH[4] ? Number(address) : address.toString(36);
