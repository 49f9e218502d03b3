import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  formatName,
  isWithin,
  lowerByte,
  nameKey,
  nameOfKey,
  parseName,
  sameName,
  wireLength,
} from '../../../src/dns/name.ts';
import { wireName } from '../../../src/dns/writer.ts';
import { anyName, latin1 } from './messages.ts';

const read = (text: string): readonly string[] | string => {
  const parsed = parseName(text);
  return 'name' in parsed ? parsed.name : parsed.reason;
};

describe('a name', () => {
  test.each([
    ['api.example.com', ['api', 'example', 'com']],
    ['API.Example.COM.', ['api', 'example', 'com']],
    ['.', []],
    ['a\\.b.c', ['a.b', 'c']],
    ['a\\\\.c', ['a\\', 'c']],
    ['\\000\\255', ['\0\xff']],
    ['\\065', ['a']],
    ['\u00c0', ['\u00c0']],
    ['', 'the name has an empty label'],
    ['a..b', 'the name has an empty label'],
    ['.a', 'the name has an empty label'],
    ['a\\', 'the name holds a character that is no byte'],
    ['\\25', 'the name holds a character that is no byte'],
    ['\\256', 'the name holds a character that is no byte'],
    ['\u20ac', 'the name holds a character that is no byte'],
    ['\\\u{1f600}', 'the name holds a character that is no byte'],
    ['a'.repeat(64), 'a label is longer than 63 bytes'],
    [`${'a'.repeat(63)}.`.repeat(4), 'the name is longer than 255 bytes'],
    [`${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(62), 'the name is longer than 255 bytes'],
    ['a'.repeat(2000), 'the name is longer than 255 bytes'],
  ])('%j is read as %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it('of 255 bytes is the longest', () => {
    const text = `${'a'.repeat(63)}.`.repeat(3) + 'a'.repeat(61);
    expect(read(text)).toHaveLength(4);
  });

  it('is read from what is printed, and printed as one line of ASCII', () => {
    fc.assert(
      fc.property(anyName, (name) => {
        const text = formatName(name);
        expect(text).toMatch(/^[!-~]+$/);
        expect(read(text)).toEqual(name);
      }),
    );
  });

  it('has a key of its own, which ends with that of its parent', () => {
    fc.assert(
      fc.property(anyName, anyName, (one, other) => {
        expect(nameKey(one) === nameKey(other)).toBe(sameName(one, other));
        expect(nameOfKey(nameKey(one))).toEqual(one);
        expect(isWithin([...other, ...one], one)).toBe(true);
        expect(nameKey([...other, ...one])).toBe(nameKey(other) + nameKey(one));
        expect(latin1(wireName(one))).toBe(`${nameKey(one)}\0`);
        expect(wireLength(one)).toBe(nameKey(one).length + 1);
      }),
    );
    expect(nameKey(['a.b'])).not.toBe(nameKey(['a', 'b']));
    expect(isWithin(['xexample', 'com'], ['example', 'com'])).toBe(false);
    expect(isWithin(['com'], ['example', 'com'])).toBe(false);
  });

  it('has only ASCII letters in lower case', () => {
    for (let byte = 0; byte < 256; byte++) {
      const isUpper = byte >= 0x41 && byte <= 0x5a;
      expect(lowerByte(byte).charCodeAt(0)).toBe(isUpper ? byte + 32 : byte);
    }
  });
});
