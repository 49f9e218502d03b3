/**
 * Writes a DNS message. Names that were written before are compressed by pointers to them (RFC 1035, 4.1.4).
 */
import { type Name, nameKey, wireLength } from './name.ts';

/** Pointers have 14 bits. */
const LAST_TARGET = 0x3fff;
/** Bytes of any message: TCP counts them in 16 bits. */
export const LONGEST_MESSAGE = 65_535;

export class Writer {
  /** From the pool of Node.js, as a message is needed for a moment only. */
  #bytes: Uint8Array = Buffer.allocUnsafe(512);
  #length = 0;
  /** Key of a name → where it stands. */
  #names: Map<string, number> | undefined;

  get length(): number {
    return this.#length;
  }

  /** What was written. Nothing may be written afterwards. */
  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#length);
  }

  /** Undoes what was written after `length`. */
  shorten(length: number): void {
    this.#length = length;
    for (const [key, at] of this.#names ?? []) if (at >= length) this.#names?.delete(key);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  uint16(value: number): void {
    this.byte((value >>> 8) & 0xff);
    this.byte(value & 0xff);
  }

  uint32(value: number): void {
    this.uint16(value >>> 16);
    this.uint16(value & 0xffff);
  }

  bytes(values: Uint8Array): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Puts a number over one that was written. */
  replaceUint16(at: number, value: number): void {
    this.#bytes[at] = (value >>> 8) & 0xff;
    this.#bytes[at + 1] = value & 0xff;
  }

  /** The name, with a pointer to the longest end of it that was written before. */
  name(name: Name): void {
    let key = nameKey(name);
    for (const label of name) {
      const target = this.#names?.get(key);
      if (target !== undefined) {
        this.uint16(0xc000 + target);
        return;
      }
      this.#mark(key, this.#length);
      this.#label(label);
      key = key.slice(1 + label.length);
    }
    this.byte(0);
  }

  /** The name in full, as records need it whose content is copied by others. */
  plainName(name: Name): void {
    for (const label of name) this.#label(label);
    this.byte(0);
  }

  /** Says that the name stands there in full, so that pointers may lead to it. */
  standsAt(name: Name, at: number): void {
    let key = nameKey(name);
    let where = at;
    for (const { length } of name) {
      this.#mark(key, where);
      where += 1 + length;
      key = key.slice(1 + length);
    }
  }

  #mark(key: string, at: number): void {
    this.#names ??= new Map();
    if (at <= LAST_TARGET && !this.#names.has(key)) this.#names.set(key, at);
  }

  #label(label: string): void {
    this.byte(label.length);
    for (let index = 0; index < label.length; index++) this.byte(label.charCodeAt(index));
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** The name in full as bytes. */
export const wireName = (name: Name): Uint8Array => {
  const bytes = new Uint8Array(wireLength(name));
  let at = 0;
  for (const label of name) {
    bytes[at++] = label.length;
    for (let index = 0; index < label.length; index++) bytes[at++] = label.charCodeAt(index);
  }
  return bytes;
};
