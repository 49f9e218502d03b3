import { describe, expect, it, test } from 'vitest';
import { formatPrefix } from '../../../src/net/address.ts';
import { formatAddressRule } from '../../../src/policy/address-rule.ts';
import { parseRule } from '../../../src/policy/rule.ts';
import { A_PORT, AN_ADDRESS, addressRuleOf, reasonOf, ruleOf } from './rules.ts';

describe('a printed rule by address', () => {
  test.each(['10.0.0.1:tcp/80', '10.0.0.0/8:udp/1-9', '[fd00::1]:tcp/80', '[fd00::]/64:udp/53'])(
    'is %s, with IPv6 in brackets',
    (text) => expect(formatAddressRule(addressRuleOf(text))).toBe(text),
  );
});

test('a list is called one only if all of it are addresses', () => {
  expect(reasonOf('10.0.0.1,10.0.0.2:tcp/80')).toContain('got the list');
  expect(reasonOf('10.0.0.1,web:tcp/80')).not.toContain('got the list');
});

describe('a rule by address', () => {
  test.each([
    ['10.50.128.0/24:tcp/80', '10.50.128.0/24', 'tcp', [[80, 80]]],
    ['10.50.128.0/24:tcp/20000-32000', '10.50.128.0/24', 'tcp', [[20000, 32000]]],
    ['10.0.0.1:udp/53', '10.0.0.1', 'udp', [[53, 53]]],
    [
      '10.0.0.0/8:tcp/80,443,8000-8100',
      '10.0.0.0/8',
      'tcp',
      [
        [80, 80],
        [443, 443],
        [8000, 8100],
      ],
    ],
    [
      '10.0.0.0/8:tcp/8000-8100,443,81,80,443,8050-8200',
      '10.0.0.0/8',
      'tcp',
      [
        [80, 81],
        [443, 443],
        [8000, 8200],
      ],
    ],
    ['2001:db8::/32:tcp/443', '2001:db8::/32', 'tcp', [[443, 443]]],
    ['[2001:db8::]/32:tcp/443', '2001:db8::/32', 'tcp', [[443, 443]]],
    ['[2001:db8::1]:tcp/443', '2001:db8::1', 'tcp', [[443, 443]]],
    ['2001:db8::1:tcp/443', '2001:db8::1', 'tcp', [[443, 443]]],
    ['1:2:3:4:5:6:7:8:tcp/443', '1:2:3:4:5:6:7:8', 'tcp', [[443, 443]]],
    ['::/0:udp', '::/0', 'udp', [[0, 65535]]],
    ['10.0.0.0/8:icmp/8', '10.0.0.0/8', 'icmp', [[8, 8]]],
    [
      '10.0.0.0/8:icmp/0,3-4,11',
      '10.0.0.0/8',
      'icmp',
      [
        [0, 0],
        [3, 4],
        [11, 11],
      ],
    ],
    ['10.0.0.0/8:icmp', '10.0.0.0/8', 'icmp', [[0, 255]]],
    ['[2001:db8::]/32:icmpv6/128', '2001:db8::/32', 'icmp', [[128, 128]]],
    ['[2001:db8::]/32:ICMP', '2001:db8::/32', 'icmp', [[0, 255]]],
    ['10.0.0.0/8:tcp', '10.0.0.0/8', 'tcp', [[0, 65535]]],
    ['10.0.0.0/8:Tcp/0-65535', '10.0.0.0/8', 'tcp', [[0, 65535]]],
    ['10.0.0.0/8:UDP/0-1023', '10.0.0.0/8', 'udp', [[0, 1023]]],
    ['0.0.0.0/0:tcp/8080', '0.0.0.0/0', 'tcp', [[8080, 8080]]],
  ] as const)('%s', (line, prefix, protocol, ranges) => {
    const rule = addressRuleOf(line);
    expect(formatPrefix(rule.prefix)).toBe(prefix);
    expect(rule).toMatchObject({
      kind: 'address',
      protocol,
      ranges: ranges.map(([first, last]) => ({ first, last })),
    });
  });

  it('warns of host bits and masks them', () => {
    expect(parseRule('10.0.0.5/8:tcp')).toEqual({
      rule: ruleOf('10.0.0.0/8:tcp'),
      warnings: ['expected no host bits in a prefix, got "10.0.0.5/8"; it is read as 10.0.0.0/8'],
    });
    expect(parseRule('10.0.0.0/8:tcp')).toMatchObject({ warnings: [] });
  });

  test.each([
    ['10.0.0.1', 'expected a protocol after the address, as in ":tcp/443", got "10.0.0.1" alone'],
    ['10.0.0.0/8', 'expected a protocol after the address, as in ":tcp/443", got "10.0.0.0/8" alone'],
    ['10.0.0.0/8:', 'expected a protocol after the address, as in ":tcp/443", got "10.0.0.0/8" alone'],
    ['2001:db8::1', 'expected a protocol after the address, as in ":tcp/443", got "2001:db8::1" alone'],
    ['2001:db8::/32', 'expected a protocol after the address, as in ":tcp/443", got "2001:db8::/32" alone'],
    ['[2001:db8::1]', 'expected a protocol after the address, as in ":tcp/443", got "[2001:db8::1]" alone'],
    ['10.0.0.1:80', 'expected tcp, udp or icmp (icmpv6) after ":", got "80"; write tcp/80'],
    ['10.0.0.1:sctp/80', 'expected tcp, udp or icmp (icmpv6) after ":", got "sctp/80"'],
    ['10.0.0.1:all', 'expected tcp, udp or icmp (icmpv6) after ":", got "all"'],
    ['10.0.0.1:/80', 'expected tcp, udp or icmp after ":", got "/80"'],
    ['10.0.0.1:icmpv6', 'expected icmp for an IPv4 address, got icmpv6'],
    ['10.0.0.1:tcp/', `${A_PORT} ""`],
    ['10.0.0.1:tcp/80,', `${A_PORT} ""`],
    ['10.0.0.1:tcp/65536', `${A_PORT} "65536"`],
    ['10.0.0.1:tcp/1-65536', `${A_PORT} "1-65536"`],
    ['10.0.0.1:tcp/080', `${A_PORT} "080"`],
    ['10.0.0.1:tcp/-80', `${A_PORT} "-80"`],
    ['10.0.0.1:tcp/80-', `${A_PORT} "80-"`],
    ['10.0.0.1:tcp/80-90-100', `${A_PORT} "80-90-100"`],
    ['10.0.0.1:tcp/http', `${A_PORT} "http"`],
    ['10.0.0.1:tcp/1e3', `${A_PORT} "1e3"`],
    ['10.0.0.1:tcp/80/90', `${A_PORT} "80/90"`],
    ['10.0.0.1:tcp/90-80', 'expected a range with the lower port first, got "90-80"; write 80-90'],
    ['10.0.0.1:tcp/0', 'expected a port 1-65535, got "0"; for all ports write the protocol alone'],
    ['10.0.0.1:tcp/80,0-0', 'expected a port 1-65535, got "0"; for all ports write the protocol alone'],
    ['10.0.0.1:icmp/256', 'expected a type 0-255 or a range of them, got "256"'],
    ['10.0.0.1:icmp/3/4', 'expected a type 0-255 or a range of them, got "3/4"'],
    ['10.0.0.1:icmp/9-8', 'expected a range with the lower type first, got "9-8"; write 8-9'],
    ['10.0.0.1:tcp/80:90', 'expected a range of ports with a hyphen, got "10.0.0.1:tcp/80:90"'],
    ['10.0.0.0/33:tcp/80', 'expected a prefix length 0-32 after "/", got "33"'],
    ['10.0.0.0/255.0.0.0:tcp/80', 'expected a prefix length 0-32 after "/", got "255.0.0.0"; write /8'],
    ['300.1:tcp/80', `${AN_ADDRESS} "300.1"`],
    ['300.1', `${AN_ADDRESS} "300.1"`],
    ['10.0.0.256:tcp', `${AN_ADDRESS} "10.0.0.256"`],
    ['10.0.0.x:tcp', `${AN_ADDRESS} "10.0.0.x"`],
    ['10.0.0.*:tcp', `${AN_ADDRESS} "10.0.0.*"`],
    ['010.0.0.1:tcp/80', `${AN_ADDRESS} "010.0.0.1"`],
    ['0x0a000001:tcp/80', `${AN_ADDRESS} "0x0a000001"`],
    ['8080', `${AN_ADDRESS} "8080"`],
    ['postgresql/5432', `${AN_ADDRESS} "postgresql/5432"`],
    ['10.0.0.1/32/tcp/80', 'expected a prefix length 0-32 after "/", got "32/tcp/80"'],
    [
      '10.0.0.1,10.0.0.2:tcp/80',
      'expected one address or prefix, got the list "10.0.0.1,10.0.0.2"; write one line for each',
    ],
    ['2001:db8::g:tcp/80', `${AN_ADDRESS} "2001:db8::g"`],
    ['2001:db8:1:tcp/80', `${AN_ADDRESS} "2001:db8:1"`],
    ['fe80::1%eth0:tcp/80', 'expected an IPv6 address without a zone, got "fe80::1%eth0"'],
    [
      '::ffff:10.0.0.1:tcp/80',
      'expected the IPv4 address itself, 10.0.0.1, got the mapped form "::ffff:10.0.0.1"',
    ],
    ['[10.0.0.1]:tcp/80', 'expected an IPv6 address in brackets, got "[10.0.0.1]"'],
    ['[::1:tcp/80', 'expected "[address]" or "[address]/length", got "[::1"'],
    [
      '[2001:db8::/32]:tcp/80',
      'expected "[address]" or "[address]/length", got "[2001:db8::/32]"; write [2001:db8::]/32',
    ],
  ])('refuses %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });
});
