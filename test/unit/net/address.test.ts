import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  comparePrefixes,
  contains,
  formatAddress,
  formatPrefix,
  lastAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixOf,
  sizeOf,
  splitPrefix,
  WIDTH,
} from '../../../src/net/address.ts';
import { families } from '../policy/allow-entries.ts';

const anyPrefix: fc.Arbitrary<Prefix> = families.chain((family) =>
  fc
    .tuple(fc.bigInt(0n, (1n << BigInt(WIDTH[family])) - 1n), fc.nat({ max: WIDTH[family] }))
    .map(([address, length]) => prefixOf(family, address, length)),
);

/** IPv4-mapped addresses can be computed, but are not to be written. */
const writable = anyPrefix.filter(({ family, address }) => family === 4 || address >> 32n !== 0xffffn);

const read = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

const reasonFor = (text: string): string => {
  const parsed = parsePrefix(text);
  return 'reason' in parsed ? parsed.reason : `none: ${formatPrefix(parsed.prefix)}`;
};

describe('parsePrefix', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.1.2.3/8', '10.0.0.0/8', true],
    ['10.0.0.1', '10.0.0.1', false],
    ['10.0.0.1/32', '10.0.0.1', false],
    ['0.0.0.0/0', '0.0.0.0/0', false],
    ['255.255.255.255', '255.255.255.255', false],
    ['128.0.0.1/0', '0.0.0.0/0', true],
    ['2001:db8::/32', '2001:db8::/32', false],
    ['2001:DB8:0:0::1/32', '2001:db8::/32', true],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', false],
    ['2001:0db8:0000:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', false],
    ['::', '::', false],
    ['::/0', '::/0', false],
    ['::1/128', '::1', false],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221', false],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', false],
  ])('reads %s as %s', (text, canonical, hostBits) => {
    expect(parsePrefix(text)).toEqual({ prefix: read(canonical), hostBits });
    expect(formatPrefix(read(text))).toBe(canonical);
  });

  test.each([
    '',
    ' ',
    '/',
    '/8',
    '10',
    '10.1',
    '10.0.1',
    '10.0.0.0.0',
    '10.0.0.256',
    '300.1',
    '010.0.0.1',
    '10.0.0.01',
    '0x0a.0.0.1',
    '0x0a000001',
    '167772161',
    '10.0.0.1.',
    '.10.0.0.1',
    '10..0.1',
    '-1.0.0.0',
    '+1.0.0.0',
    '1e1.0.0.0',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1\n',
    '١٠.0.0.1',
    'localhost',
    ':',
    ':::',
    '::1::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8:',
    ':1:2:3:4:5:6:7',
    '::12345',
    '::g',
    '64:ff9b::192.0.2',
    '64:ff9b::192.0.02.33',
    '64:ff9b::192.0.2.256',
    '1.2.3.4::',
    '2001:db8::1\n',
    '0'.repeat(100_000),
  ])('refuses %j as an address', (text) => {
    expect(reasonFor(text)).toMatch(/^expected an IP address .*, got "/);
    expect(parseAddress(text)).toBeUndefined();
  });

  test.each([
    ['10.0.0.0/33', 'expected a prefix length 0-32 after "/", got "33"'],
    ['10.0.0.0/', 'expected a prefix length 0-32 after "/", got ""'],
    ['10.0.0.0/08', 'expected a prefix length 0-32 after "/", got "08"'],
    ['10.0.0.0/+8', 'expected a prefix length 0-32 after "/", got "+8"'],
    ['10.0.0.0/8/8', 'expected a prefix length 0-32 after "/", got "8/8"'],
    ['10.0.0.0/1e1', 'expected a prefix length 0-32 after "/", got "1e1"'],
    ['10.0.0.0/255.0.0.0', 'expected a prefix length 0-32 after "/", got "255.0.0.0"; write /8'],
    ['10.0.0.0/0.0.0.255', 'expected a prefix length 0-32 after "/", got "0.0.0.255"'],
    ['2001:db8::/129', 'expected a prefix length 0-128 after "/", got "129"'],
    ['2001:db8::/255.0.0.0', 'expected a prefix length 0-128 after "/", got "255.0.0.0"'],
  ])('says what is wrong with the length of %s', (text, reason) => {
    expect(reasonFor(text)).toBe(reason);
  });

  test.each([
    ['fe80::1%eth0', 'expected an IPv6 address without a zone, got "fe80::1%eth0"'],
    ['::ffff:10.0.0.1', 'expected the IPv4 address itself, 10.0.0.1, got the mapped form "::ffff:10.0.0.1"'],
    ['::FFFF:a00:1/128', 'expected the IPv4 address itself, 10.0.0.1, got the mapped form "::FFFF:a00:1"'],
    ['::10.0.0.1', 'expected the IPv4 address itself, 10.0.0.1, got the mapped form "::10.0.0.1"'],
  ])('names the way out for %s', (text, reason) => {
    expect(reasonFor(text)).toBe(reason);
  });

  it('cuts what it shows', () => {
    expect(reasonFor('9'.repeat(1_000_000)).length).toBeLessThan(250);
    expect(reasonFor(`10.0.0.0/${'9'.repeat(1_000_000)}`).length).toBeLessThan(250);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abcfF:./%[] \0\nx') }), (text) => {
        parsePrefix(text);
        parseAddress(text);
      }),
    );
  });
});

describe('parseAddress', () => {
  it('takes a bare address only', () => {
    expect(parseAddress('10.0.0.1')).toEqual({ family: 4, address: 0x0a00_0001n, length: 32 });
    expect(parseAddress('::1')).toEqual({ family: 6, address: 1n, length: 128 });
    expect(parseAddress('10.0.0.1/32')).toBeUndefined();
    expect(parseAddress('::ffff:10.0.0.1')).toBeUndefined();
  });
});

describe('prefixes', () => {
  it('are read as they are written', () => {
    fc.assert(
      fc.property(writable, (prefix) => {
        expect(read(formatPrefix(prefix))).toEqual(prefix);
      }),
    );
  });

  it('contain their first and last address and nothing beyond', () => {
    fc.assert(
      fc.property(anyPrefix, anyPrefix, (outer, other) => {
        const inside =
          outer.family === other.family &&
          outer.address <= other.address &&
          lastAddress(other) <= lastAddress(outer);
        expect(contains(outer, other)).toBe(inside);
        expect(contains(outer, prefixOf(outer.family, lastAddress(outer), WIDTH[outer.family]))).toBe(true);
      }),
    );
  });

  it('contain themselves and what is narrower', () => {
    fc.assert(
      fc.property(anyPrefix, fc.nat({ max: 128 }), (prefix, shorter) => {
        const outer = prefixOf(prefix.family, prefix.address, Math.max(0, prefix.length - shorter));
        expect(contains(outer, prefix)).toBe(true);
        expect(contains(prefix, outer)).toBe(outer.length === prefix.length);
      }),
    );
  });

  it('fall into two halves that fill them', () => {
    fc.assert(
      fc.property(anyPrefix, (prefix) => {
        if (prefix.length === WIDTH[prefix.family]) return;
        const [lower, upper] = splitPrefix(prefix);
        expect([lower.address, lastAddress(upper)]).toEqual([prefix.address, lastAddress(prefix)]);
        expect(lastAddress(lower) + 1n).toBe(upper.address);
        expect(sizeOf(lower) + sizeOf(upper)).toBe(sizeOf(prefix));
      }),
    );
  });

  it('are ordered by family, address, and the broader first', () => {
    const texts = ['10.0.0.0/8', '10.0.0.0/9', '10.0.0.0', '10.0.0.1', '::/0', '::/1', '::', '2001:db8::/32'];
    const shuffled = texts.toReversed().map(read);
    expect(shuffled.sort(comparePrefixes).map(formatPrefix)).toEqual(texts);
  });

  it('have an address text of their family, also at the edges', () => {
    expect(formatAddress(4, 0n)).toBe('0.0.0.0');
    expect(formatAddress(6, 0n)).toBe('::');
    expect(formatAddress(6, 0x0a00_0001n)).toBe('::a00:1');
    expect(formatAddress(4, 0xffff_ffffn)).toBe('255.255.255.255');
  });
});
