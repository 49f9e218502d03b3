import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it, test } from 'vitest';
import { NeverGranted, whyNotGranted } from '../../../../src/features/names/addresses.ts';
import { hostOf } from '../../../../src/net/special-addresses.ts';
import { prefixOfText } from '../../policy/rules.ts';
import { naiveGrants, naiveRule } from './naive-names.ts';
import { address, nameRule } from './names.ts';

const OWN = '9.9.9.1';
const never = new NeverGranted([
  { prefix: address(OWN), meaning: "this host's" },
  { prefix: address('10.0.0.9'), meaning: "Consul's" },
  { prefix: prefixOfText('172.30.0.0/24'), meaning: "of Docker's gateways" },
]);
/** Also those that the parser of rules does not take. */
const anyAddress = (text: string) => {
  const bytes = ipaddr.parse(text).toByteArray();
  return hostOf(
    bytes.length === 4 ? 4 : 6,
    bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n),
  );
};

describe('an address by name', () => {
  const PUBLIC = 'a.test:tcp/443';
  test.each([
    [PUBLIC, '1.1.1.1', undefined],
    [PUBLIC, '2606:4700::1', undefined],
    [PUBLIC, '64:ff9b::808:808', undefined],
    [PUBLIC, '2002:808:808::1', undefined],
    [PUBLIC, '10.0.0.1', 'it is private, and the rule names no prefix with "@"'],
    [PUBLIC, 'fd00::1', 'it is private, and the rule names no prefix with "@"'],
    [PUBLIC, '100.64.0.1', 'it is of carrier-grade NAT, and the rule names no prefix with "@"'],
    [
      PUBLIC,
      '64:ff9b::a00:1',
      'it is 10.0.0.1 by NAT64, which is private, and the rule names no prefix with "@"',
    ],
    [
      PUBLIC,
      '2002:a00:1::',
      'it is 10.0.0.1 by 6to4, which is private, and the rule names no prefix with "@"',
    ],
    [PUBLIC, '127.0.0.1', 'it is loopback'],
    [PUBLIC, '169.254.169.254', 'it is link-local'],
    [PUBLIC, '::ffff:127.0.0.1', 'it is 127.0.0.1 by IPv4-mapped, which is loopback'],
    [PUBLIC, '::ffff:8.8.8.8', 'it has the form IPv4-mapped, which is for no network'],
    [PUBLIC, '64:ff9b::7f00:1', 'it is 127.0.0.1 by NAT64, which is loopback'],
    [PUBLIC, OWN, "it is this host's"],
    [PUBLIC, '64:ff9b::909:901', "it is 9.9.9.1 by NAT64, which is this host's"],
    ['a.test@10.0.0.0/8:tcp/1', '10.0.0.1', undefined],
    ['a.test@10.0.0.0/8:tcp/1', '64:ff9b::a00:1', undefined],
    ['a.test@[64:ff9b::]/96:tcp/1', '64:ff9b::a00:1', undefined],
    ['a.test@10.0.0.0/8:tcp/1', '1.1.1.1', 'it is not in 10.0.0.0/8'],
    ['a.test@10.0.0.0/8,192.168.0.0/16:tcp/1', '172.16.0.1', 'it is not in 10.0.0.0/8 or 192.168.0.0/16'],
    ['a.test@10.0.0.0/8:tcp/1', '10.0.0.9', "it is Consul's"],
    ['a.test@172.16.0.0/12:tcp/1', '172.30.0.1', "it is of Docker's gateways"],
    ['a.test@0.0.0.0/0:tcp/1', '169.254.169.254', 'it is link-local'],
    ['a.test@0.0.0.0/0:tcp/1', '127.0.0.1', 'it is loopback'],
    ['a.test@[::]/0:tcp/1', '::1', 'it is loopback'],
    ['a.test@[::]/0:tcp/1', 'ff02::1', 'it is multicast'],
    ['a.test@[::]/0:tcp/1', '::ffff:8.8.8.8', 'it has the form IPv4-mapped, which is for no network'],
  ])('%s and %s', (rule, text, reason) => {
    expect(whyNotGranted(anyAddress(text), nameRule(rule), never)).toBe(reason);
  });

  it('is granted as the simple policy grants it', () => {
    const rules = fc.constantFrom(
      PUBLIC,
      'a.test@10.0.0.0/8:tcp/1',
      'a.test@[fd00::]/8,0.0.0.0/1:tcp/1',
      'a.test@[::]/0:tcp/1',
    );
    const texts = fc.oneof(
      fc.ipV4().map((text) => `${text}`),
      fc.ipV4().map((text) => `64:ff9b::${text}`),
      fc.ipV4().map((text) => `::ffff:${text}`),
      fc.constantFrom(
        'fd00::1',
        'fe80::1',
        'ff02::1',
        '2606:4700::1',
        OWN,
        '10.0.0.9',
        '2002:a00:1::',
        '2002:808:808::',
      ),
    );
    const own = [OWN, '10.0.0.9'];
    fc.assert(
      fc.property(rules, texts, (rule, text) => {
        if (/172\.30\.0\./.test(text)) return;
        // AS112 and AMT: not granted here, and unicast there.
        if (/192\.(31\.196|52\.193|175\.48)\./.test(text)) return;
        const isGranted = whyNotGranted(anyAddress(text), nameRule(rule), never) === undefined;
        expect(isGranted).toBe(naiveGrants(naiveRule(rule), text, own));
      }),
      { numRuns: 3_000 },
    );
  });
});
