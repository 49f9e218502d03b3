/** Names and messages for tests: arbitrary ones, and messages made byte by byte. */
import fc from 'fast-check';
import { LONGEST_NAME, type Name, wireLength } from '../../../src/dns/name.ts';

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

const lowerBytes = fc.integer({ min: 0, max: 255 }).filter((byte) => byte < 0x41 || byte > 0x5a);

/** Labels of any bytes, in lower case. */
const anyLabel = fc
  .array(lowerBytes, { minLength: 1, maxLength: 63 })
  .map((bytes) => String.fromCharCode(...bytes));

const hostLabel = fc.stringMatching(/^[a-z\d][a-z\d-]{0,8}$/);

const fits = (name: Name): boolean => wireLength(name) <= LONGEST_NAME;

export const anyName: fc.Arbitrary<Name> = fc.array(anyLabel, { maxLength: 8 }).filter(fits);
export const hostName: fc.Arbitrary<Name> = fc.array(hostLabel, { minLength: 1, maxLength: 5 });

/** A message of 16-bit numbers, texts of bytes, names as `n('api', 'test')`, and bytes. */
export const message = (...parts: readonly (number | string | Uint8Array)[]): Uint8Array => {
  const pieces = parts.map((part) => {
    if (typeof part === 'number') return Uint8Array.of(part >>> 8, part & 0xff);
    return typeof part === 'string' ? bytesOf(part) : part;
  });
  return new Uint8Array(Buffer.concat(pieces));
};

/** The bytes of a name in full. */
export const n = (...labels: readonly string[]): string =>
  `${labels.map((label) => String.fromCharCode(label.length) + label).join('')}\0`;

/** 32 bits. */
export const long = (value: number): string =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);

/** Bytes changed at random places: a message that is nearly right. */
export const mutated = (whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice();
      for (const [at, value] of changes) copy[at % Math.max(copy.length, 1)] = value;
      return copy;
    });
