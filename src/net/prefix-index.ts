/**
 * Finds the values stored under the prefixes around an address, with one lookup for each prefix length in use.
 */
import { type Family, type Prefix, prefixOf, WIDTH } from './address.ts';

type Bucket<T> = Map<number | string, T[]>;

export class PrefixIndex<T> {
  readonly #buckets: Readonly<Record<Family, Map<number, Bucket<T>>>> = { 4: new Map(), 6: new Map() };
  /** Prefix lengths in use, the longest first; undefined after a change. */
  #lengths: Readonly<Record<Family, readonly number[]>> | undefined;

  add(prefix: Prefix, value: T): void {
    const bucket = this.#bucket(prefix);
    const stored = bucket.get(keyOf(prefix));
    if (stored === undefined) bucket.set(keyOf(prefix), [value]);
    else stored.push(value);
  }

  /** The values of exactly this prefix. */
  at(prefix: Prefix): readonly T[] {
    return this.#buckets[prefix.family].get(prefix.length)?.get(keyOf(prefix)) ?? [];
  }

  /** The values of prefixes that contain this one (including itself), the narrowest first. */
  around(prefix: Prefix): readonly T[] {
    const { family, address, length } = prefix;
    return this.#inUse()
      [family].filter((one) => one <= length)
      .flatMap((one) => this.at(prefixOf(family, address, one)));
  }

  #bucket({ family, length }: Prefix): Bucket<T> {
    const known = this.#buckets[family].get(length);
    if (known !== undefined) return known;
    const bucket: Bucket<T> = new Map();
    this.#buckets[family].set(length, bucket);
    this.#lengths = undefined;
    return bucket;
  }

  #inUse(): Readonly<Record<Family, readonly number[]>> {
    const lengths = (family: Family) => [...this.#buckets[family].keys()].sort((a, b) => b - a);
    this.#lengths ??= { 4: lengths(4), 6: lengths(6) };
    return this.#lengths;
  }
}

/** Not a bigint: V8 hashes it by its low 64 bits, which are equal in many IPv6 addresses. */
const keyOf = ({ family, address }: Prefix): number | string =>
  WIDTH[family] === WIDTH[4] ? Number(address) : address.toString(36);
