import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it, test } from 'vitest';
import { formatAddress, type Prefix, parseAddress } from '../../../src/net/address.ts';
import { hostOf, neverByName, unwrap, whyNotPublic } from '../../../src/net/special-addresses.ts';

const address = (text: string): Prefix => {
  const bytes = ipaddr.parse(text).toByteArray();
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hostOf(bytes.length === 4 ? 4 : 6, BigInt(`0x${hex}`));
};

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.255', 'loopback'],
  ['169.254.169.254', 'link-local'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['0.0.0.0', 'of this host'],
  ['::', 'of this host'],
  ['::1', 'loopback'],
  ['fe80::1', 'link-local'],
  ['ff02::1', 'multicast'],
  ['10.0.0.1', undefined],
  ['fd00::1', undefined],
  ['8.8.8.8', undefined],
])('%s by name: %s', (text, meaning) => {
  expect(neverByName(address(text))).toBe(meaning);
});

test.each([
  ['::ffff:127.0.0.1', '127.0.0.1', 'IPv4-mapped'],
  ['64:ff9b::a00:1', '10.0.0.1', 'NAT64'],
  ['2002:a00:1::5', '10.0.0.1', '6to4'],
  ['::7f00:1', '127.0.0.1', 'IPv4-compatible'],
  ['::ffff:0:7f00:1', '127.0.0.1', 'translated IPv4'],
  ['::1', '::1', undefined],
  ['::', '::', undefined],
  ['2001:db8::1', '2001:db8::1', undefined],
  ['10.0.0.1', '10.0.0.1', undefined],
])('%s stands for %s by %s', (text, inner, by) => {
  expect(unwrap(address(text))).toEqual({ address: address(inner), by });
});

describe('a public address', () => {
  test.each([
    '1.1.1.1',
    '9.9.9.9',
    '100.128.0.0',
    '172.32.0.1',
    '2606:4700::1111',
    '2a00:1450::5',
    '2001:4860:4860::8888',
  ])('is %s', (text) => {
    expect(whyNotPublic(address(text))).toBeUndefined();
  });

  it('is none that another library calls special', () => {
    const edges = ['0.0.0.0', '10.0.0.0', '100.64.0.0', '127.0.0.0', '169.254.0.0', '172.16.0.0', '192.0.0.0']
      .concat([
        '192.0.2.0',
        '192.88.99.0',
        '192.168.0.0',
        '198.18.0.0',
        '198.51.100.0',
        '203.0.113.0',
        '224.0.0.0',
      ])
      .concat([
        '240.0.0.0',
        '255.255.255.255',
        '::',
        'fc00::',
        'fe80::',
        'ff00::',
        '100::',
        '2001::',
        '2001:db8::',
      ])
      .concat(['2001:2::', '2001:20::', '2620:4f:8000::', '3fff::'])
      .map((text) => address(text));
    const near = fc.tuple(fc.constantFrom(...edges), fc.bigInt(-600n, 600n)).map(([edge, distance]) => {
      const most = edge.family === 4 ? 0xffff_ffffn : (1n << 128n) - 1n;
      const value = edge.address + distance;
      return hostOf(edge.family, value < 0n ? 0n : value > most ? most : value);
    });
    const any = fc.oneof(
      near,
      fc.bigInt(0n, 0xffff_ffffn).map((value) => hostOf(4, value)),
      fc.bigInt(0n, (1n << 128n) - 1n).map((value) => hostOf(6, value)),
    );
    fc.assert(
      fc.property(any, (one) => {
        const range = ipaddr.parse(formatAddress(one.family, one.address)).range();
        const isWrapped = unwrap(one).by !== undefined;
        if (!isWrapped && range !== 'unicast') expect(whyNotPublic(one)).toBeDefined();
        if (one.family === 4 && range === 'unicast') expect(whyNotPublic(one)).toBeUndefined();
      }),
      { numRuns: 3_000 },
    );
  });

  it('is never of the unassigned parts of IPv6', () => {
    for (const text of ['4000::1', 'fec0::1', '64:ff9b:1::1', '5f00::1', '200::1'])
      expect(whyNotPublic(parseAddress(text) ?? address('1.1.1.1'))).toBe('reserved');
  });
});
