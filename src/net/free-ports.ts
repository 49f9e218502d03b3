/**
 * The set of ports that the prefixes around the current one cover already, during the sweep over a rule set: it
 * must be cheap to add a range, to remove it, and to find the parts of a range that are still free.
 *
 * Only the boundaries are stored: the ports where the set begins or ends. Added ranges never overlap others, so adding
 * and removing a range both toggle two boundaries, for any length. A bitmap with one summary level finds the next
 * boundary in at most some 65 steps.
 *
 * `covered-ports.ts` is for ranges that overlap. It needs nine times the memory, and its steps visit a tree. Rule sets
 * are compiled at each edit, so they use this one.
 */
import type { Range } from './ranges.ts';

/** One more than the last port: the boundary after a range that ends there. */
const END = 65_536;
const WORD = 32;

export class FreePorts {
  readonly #boundaries = new Uint32Array(END / WORD + 1);
  readonly #summary = new Uint32Array(END / WORD / WORD + 1);
  /** 1 where the set ends at a boundary, 0 where it begins. */
  readonly #ceases = new Uint8Array(END + 1);

  /** The range must be free. Adjacent ranges are merged. */
  add(range: Range): void {
    this.#toggle(range.first, 0);
    this.#toggle(range.last + 1, 1);
  }

  /** Removes an added range, in the reverse order of adding. */
  remove(range: Range): void {
    this.#toggle(range.first, 1);
    this.#toggle(range.last + 1, 0);
  }

  /** The free parts of a range, or undefined if there are more than `limit`. */
  free(range: Range, limit: number): Range[] | undefined {
    const parts: Range[] = [];
    for (let port = range.first, next: number; port <= range.last; port = next) {
      next = this.#next(port + 1);
      if (this.#ceases[next] === 1) continue;
      if (parts.length === limit) return undefined;
      parts.push({ first: port, last: Math.min(range.last, next - 1) });
    }
    return parts;
  }

  #toggle(port: number, ceases: 0 | 1): void {
    const word = port >>> 5;
    const bits = (this.#boundaries[word] ?? 0) ^ (1 << (port & 31));
    this.#boundaries[word] = bits;
    this.#ceases[port] = (bits >>> (port & 31)) & ceases;
    const mask = 1 << (word & 31);
    const summary = this.#summary[word >>> 5] ?? 0;
    this.#summary[word >>> 5] = bits === 0 ? summary & ~mask : summary | mask;
  }

  /** The next boundary at `port` or later; beyond the last port if there is none. */
  #next(port: number): number {
    const word = port >>> 5;
    const here = lowestBit((this.#boundaries[word] ?? 0) & (-1 << (port & 31)));
    if (here < WORD) return word * WORD + here;
    const found = nextBit(this.#summary, word + 1);
    return found * WORD + lowestBit(this.#boundaries[found] ?? 0);
  }
}

/** The index of the next set bit of a bitmap, or an index beyond its end. */
const nextBit = (words: Uint32Array, index: number): number => {
  let word = index >>> 5;
  let bits = (words[word] ?? 0) & (-1 << (index & 31));
  while (bits === 0 && word < words.length) bits = words[++word] ?? 0;
  return word * WORD + (bits === 0 ? 0 : lowestBit(bits));
};

/** 0 to 31, or 32 if no bit is set. */
const lowestBit = (bits: number): number => (bits === 0 ? WORD : 31 - Math.clz32(bits & -bits));
