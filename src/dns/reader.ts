/**
 * Reads a DNS message from its first byte to its last. The first fault is kept and ends the reading: what follows
 * reads as zeros and empty names, and `fault` says why. So nothing is thrown, whatever the bytes are.
 *
 * Work is bounded by the length of the message: pointers only lead backwards, and all names together may take
 * `STEPS_PER_BYTE` steps for each byte. Without that bound, 64 KiB of pointers to pointers cost millions of steps.
 */
import { LONGEST_LABEL, LONGEST_NAME, lowerByte, type Name } from './name.ts';

/** Labels and pointers that may be followed for each byte of the message. Answers of real servers need about one. */
const STEPS_PER_BYTE = 4;

/** Where a name may be continued by a pointer to an earlier one. */
export type Pointers = 'allowed' | 'rejected';

const NOTHING = new Uint8Array(0);

export class Reader {
  readonly #bytes: Uint8Array;
  #end: number;
  #offset = 0;
  #steps = 0;
  #fault: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  get offset(): number {
    return this.#offset;
  }

  /** Labels and pointers that were followed so far. */
  get steps(): number {
    return this.#steps;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#end;
  }

  /** Ends the reading. The first fault is kept. */
  fail(reason: string): void {
    this.#fault ??= reason;
    this.#end = this.#offset;
  }

  byte(): number {
    if (this.#offset >= this.#end) {
      this.fail('the message ends early');
      return 0;
    }
    return this.#bytes[this.#offset++] ?? 0;
  }

  uint16(): number {
    return this.byte() * 0x100 + this.byte();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  /** The next bytes: a part of the message, not a copy. */
  take(length: number): Uint8Array {
    const from = this.#offset;
    if (length > this.#end - from) {
      this.fail('the message ends early');
      return NOTHING;
    }
    this.#offset = from + length;
    return this.#bytes.subarray(from, from + length);
  }

  /** The rest: of the message, or of the part that `within` limits the reading to. */
  rest(): Uint8Array {
    return this.take(this.#end - this.#offset);
  }

  /** Reads a part of so many bytes, and all of it: `read` cannot go on into what follows. */
  within<T>(length: number, read: () => T): T {
    const end = this.#end;
    if (length > end - this.#offset) this.fail('the message ends early');
    else this.#end = this.#offset + length;
    const value = read();
    if (!this.isAtEnd) this.fail('a record is longer than its content');
    if (this.#fault === undefined) this.#end = end;
    return value;
  }

  /** A name; empty after a fault. Where it is continued by pointers, reading goes on after the first of them. */
  name(pointers: Pointers): Name {
    const labels: string[] = [];
    let [at, end, length] = [this.#offset, this.#end, 1];
    let after: number | undefined;
    for (;;) {
      const size = this.#labelAt(at, end);
      if (size === undefined) return [];
      if (size >= POINTER) {
        const target = this.#targetAt(at, end, pointers);
        if (target === undefined) return [];
        after ??= at + 2;
        [at, end] = [target, at];
        continue;
      }
      at += 1 + size;
      if (size === 0) break;
      length += 1 + size;
      if (length > LONGEST_NAME) return this.#none('a name is longer than 255 bytes');
      labels.push(this.#label(at - size, at));
    }
    this.#offset = after ?? at;
    return labels;
  }

  /** The length of the label there, or the first byte of a pointer; checked, and counted as a step. */
  #labelAt(at: number, end: number): number | undefined {
    const size = this.#bytes[at];
    if (++this.#steps > STEPS_PER_BYTE * this.#bytes.length) this.fail('too many names and pointers');
    else if (size === undefined || at >= end) this.fail('a name ends early');
    else if (size > LONGEST_LABEL && size < POINTER) this.fail('a label of an unknown kind');
    else if (size <= LONGEST_LABEL && at + 1 + size > end) this.fail('a name ends early');
    else return size;
    return undefined;
  }

  /** Strictly before the labels that led there: so no pointer leads in a circle. */
  #targetAt(at: number, end: number, pointers: Pointers): number | undefined {
    const low = this.#bytes[at + 1];
    if (pointers === 'rejected') this.fail('a pointer where none may be');
    else if (low === undefined || at + 1 >= end) this.fail('a name ends early');
    else {
      const target = ((this.#bytes[at] ?? 0) & 0x3f) * 0x100 + low;
      if (target >= HEADER && target < at) return target;
      this.fail('a pointer that does not lead backwards');
    }
    return undefined;
  }

  #label(from: number, to: number): string {
    let label = '';
    for (let at = from; at < to; at++) label += lowerByte(this.#bytes[at] ?? 0);
    return label;
  }

  #none(reason: string): Name {
    this.fail(reason);
    return [];
  }
}

/** Both high bits of a length mark a pointer. */
const POINTER = 0xc0;
/** No name stands in the header. */
const HEADER = 12;
