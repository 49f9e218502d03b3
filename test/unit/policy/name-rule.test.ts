import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatRule, parseRule } from '../../../src/policy/rule.ts';
import { hostName } from '../dns/messages.ts';
import { cpuTime } from './allow-entries.ts';
import { prefixOfText } from './rules.ts';

const reasonOf = (line: string): string => {
  const parsed = parseRule(line);
  if (parsed !== undefined && 'reason' in parsed) return parsed.reason;
  return `none: ${parsed === undefined ? 'blank' : `${parsed.rule.kind} ${formatRule(parsed.rule)}`}`;
};

const port = (number: number) => [{ first: number, last: number }];

describe('a rule by name', () => {
  test.each([
    ['api.example.com:tcp/443', 'self', ['api', 'example', 'com'], [], 'tcp', port(443)],
    ['API.Example.COM.:TCP/443', 'self', ['api', 'example', 'com'], [], 'tcp', port(443)],
    ['*.example.com:tcp/443', 'one', ['example', 'com'], [], 'tcp', port(443)],
    ['**.example.com:udp/443', 'any', ['example', 'com'], [], 'udp', port(443)],
    [
      'db.corp.example@10.20.0.0/16:tcp/5432',
      'self',
      ['db', 'corp', 'example'],
      ['10.20.0.0/16'],
      'tcp',
      port(5432),
    ],
    ['db@[fd00::/8]:tcp/5432', undefined, [], [], '', []],
    ['db@[fd00::]/8:tcp/5432', 'self', ['db'], ['fd00::/8'], 'tcp', port(5432)],
    ['db@fd00::/8:tcp/5432', 'self', ['db'], ['fd00::/8'], 'tcp', port(5432)],
    ['db@10.0.0.1:tcp/5432', 'self', ['db'], ['10.0.0.1'], 'tcp', port(5432)],
    [
      'a.b@192.168.0.0/16,[fd00::]/8,10.0.0.0/8,10.0.0.0/8:tcp/1',
      'self',
      ['a', 'b'],
      ['10.0.0.0/8', '192.168.0.0/16', 'fd00::/8'],
      'tcp',
      port(1),
    ],
    ['_imaps._tcp.example.com:tcp/993', 'self', ['_imaps', '_tcp', 'example', 'com'], [], 'tcp', port(993)],
    ['xn--bcher-kva.example:tcp/443', 'self', ['xn--bcher-kva', 'example'], [], 'tcp', port(443)],
    ['production.postgresql:tcp/5432', 'self', ['production', 'postgresql'], [], 'tcp', port(5432)],
    ['web.node.consul@10.0.0.0/8:tcp/22', 'self', ['web', 'node', 'consul'], ['10.0.0.0/8'], 'tcp', port(22)],
    ['r3---sn-x.example.com:tcp/443', 'self', ['r3---sn-x', 'example', 'com'], [], 'tcp', port(443)],
    [
      'a.b:tcp/443,80,8000-8001',
      'self',
      ['a', 'b'],
      [],
      'tcp',
      [...port(80), ...port(443), { first: 8000, last: 8001 }],
    ],
    ['a.b:tcp/0-65535', 'self', ['a', 'b'], [], 'tcp', [{ first: 0, last: 65_535 }]],
  ])('%s', (line, depth, name, prefixes, protocol, ranges) => {
    const parsed = parseRule(line);
    if (depth === undefined) {
      expect(parsed).toHaveProperty('reason');
      return;
    }
    expect(parsed).toEqual({
      rule: { kind: 'name', name, depth, prefixes: prefixes.map(prefixOfText), protocol, ranges },
      warnings: [],
    });
  });

  test.each([
    // Ports are missing.
    [
      'api.example.com',
      'expected a protocol with ports after a name, got "api.example.com"; write them as in api.example.com:tcp/443',
    ],
    [
      'api.example.com:tcp',
      'expected a protocol with ports after a name, got "api.example.com:tcp"; write them as in api.example.com:tcp/443',
    ],
    [
      'api.example.com:udp',
      'expected a protocol with ports after a name, got "api.example.com:udp"; write them as in api.example.com:udp/53',
    ],
    [
      '*.example.com',
      'expected a protocol with ports after a name, got "*.example.com"; write them as in *.example.com:tcp/443',
    ],
    [
      '*.example.com:tcp/',
      'expected a protocol with ports after a name, got "*.example.com:tcp/"; write them as in *.example.com:tcp/443',
    ],
    [
      'db@10.0.0.0/8',
      'expected a protocol with ports after a name, got "db@10.0.0.0/8"; write them as in db@10.0.0.0/8:tcp/443',
    ],
    [
      'db@10.0.0.0/8:udp',
      'expected a protocol with ports after a name, got "db@10.0.0.0/8:udp"; write them as in db@10.0.0.0/8:udp/53',
    ],
    [
      'api.example.com:8443',
      'expected tcp or udp before the ports, got ":8443"; write api.example.com:tcp/8443',
    ],
    [
      'api.example.com:icmp',
      'expected tcp or udp after a name, got ":icmp"; rules by name are about ports: name the address for icmp',
    ],
    [
      'api.example.com:icmp/8',
      'expected tcp or udp after a name, got ":icmp/8"; rules by name are about ports: name the address for icmp',
    ],
    ['api.example.com:sctp/8', 'expected tcp, udp or icmp (icmpv6) after ":", got "sctp/8"'],
    ['api.example.com:tcp/0', 'expected a port 1-65535, got "0"; for all ports write tcp/1-65535'],
    ['api.example.com:tcp/70000', 'expected a port 0-65535 or a range of them, got "70000"'],
    [
      'https://api.example.com/v1',
      'expected a name with ports, got the URL "https://api.example.com/v1"; write api.example.com:tcp/443',
    ],
    [
      'http://user@api.example.com:8080',
      'expected a name with ports, got the URL "http://user@api.example.com:8080"; write api.example.com:tcp/8080',
    ],
    // The star.
    [
      'api.*.com:tcp/443',
      'expected a star only as the whole first label, as in *.example.com or **.example.com, got "api.*.com"',
    ],
    [
      '*api.example.com:tcp/443',
      'expected a star only as the whole first label, as in *.example.com or **.example.com, got "*api.example.com"',
    ],
    [
      '***.example.com:tcp/443',
      'expected a star only as the whole first label, as in *.example.com or **.example.com, got "***.example.com"',
    ],
    [
      '*.*.example.com:tcp/443',
      'expected a star only as the whole first label, as in *.example.com or **.example.com, got "*.*.example.com"',
    ],
    [
      '*:tcp/443',
      'expected a name after the star, as in *.example.com, got "*"; for any address write 0.0.0.0/0:tcp/443',
    ],
    ['*.com:tcp/443', 'expected at least two labels after the star, as in *.example.com, got "*.com"'],
    ['**.com.:tcp/443', 'expected at least two labels after the star, as in *.example.com, got "**.com."'],
    // Letters and lengths.
    ['bücher.example:tcp/443', 'expected a name in ASCII, got "bücher.example"; write xn--bcher-kva.example'],
    [
      '*.bücher.example:tcp/443',
      'expected a name in ASCII, got "*.bücher.example"; write *.xn--bcher-kva.example',
    ],
    [
      'ＡＰＩ.example.com:tcp/443',
      'expected a name in ASCII, got "ＡＰＩ.example.com"; write api.example.com',
    ],
    ['a..b:tcp/443', 'expected a name without empty labels, got "a..b"'],
    [
      '.example.com:tcp/8443',
      'expected a name, got ".example.com"; for the names below it write **.example.com:tcp/8443',
    ],
    [
      '-a.b:tcp/443',
      'expected labels of letters, digits, "-" and "_" in a name, with no "-" at an end, got "-a"',
    ],
    [
      `${'a'.repeat(64)}.com:tcp/443`,
      `expected labels of at most 63 characters in a name, got "${'a'.repeat(64)}"`,
    ],
    [
      `${'abcdefg.'.repeat(32)}com:tcp/443`,
      `expected a name of at most 253 characters, got 259: "${'abcdefg.'.repeat(10)}…"`,
    ],
    // Addresses.
    [
      '10.0.0.1@10.0.0.0/8:tcp/80',
      'expected a name before "@", got the address "10.0.0.1"; write 10.0.0.1:tcp/80',
    ],
    ['db.1@10.0.0.0/8:tcp/80', 'expected a name, whose last label is no number, got "db.1"'],
    [
      '10.0.0.300:tcp/80',
      'expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got "10.0.0.300"',
    ],
    [
      'db@10.0.0.0/33:tcp/80',
      'expected prefixes after "@": expected a prefix length 0-32 after "/", got "33"',
    ],
    [
      'db@10.0.0.0/8,:tcp/80',
      'expected prefixes after "@": expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got ""',
    ],
    [
      'db@127.0.0.0/8:tcp/80',
      'expected a prefix that a name may lead to, got "127.0.0.0/8": loopback addresses are never granted by name',
    ],
    [
      'db@169.254.169.254:tcp/80',
      'expected a prefix that a name may lead to, got "169.254.169.254": link-local addresses are never granted by name',
    ],
    [
      'db@[ff02::1]:tcp/80',
      'expected a prefix that a name may lead to, got "[ff02::1]": multicast addresses are never granted by name',
    ],
    [
      'api.example.com@*:tcp/443',
      'expected prefixes after "@": expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got "*"',
    ],
    [`db@${'10.0.0.1,'.repeat(40)}10.0.0.1:tcp/80`, 'expected at most 32 prefixes after "@"'],
    // Not names.
    ['x.service.consul:tcp/5432', 'expected a service name, got its DNS name "x.service.consul"; write x'],
    [
      'postgresql:tcp/5432',
      'expected tcp or udp after a service, whose port comes from the catalog, got ":tcp/5432"; write postgresql',
    ],
    [
      'db@dc2:tcp/5432',
      'expected tcp or udp after a service, whose port comes from the catalog, got ":tcp/5432"; write db@dc2',
    ],
    [
      'api.example.com:tcp/80, 443',
      'expected one rule without spaces inside, got "api.example.com:tcp/80, 443"',
    ],
    ['api.example.com:tcp/80\u200b', 'expected visible characters only, got "api.example.com:tcp/80\\u200b"'],
    [
      'api.example.com:tcp/80#db',
      'expected a space before a comment, got "api.example.com:tcp/80#db"; write "api.example.com:tcp/80 #db"',
    ],
    [
      '!api.example.com:tcp/80',
      'expected a rule that allows, got "!api.example.com:tcp/80"; rules only allow, and all other traffic is denied: delete the line',
    ],
  ])('%s is none', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  test.each([
    ...[
      'production.postgresql',
      'production.postgresql:tcp',
      'v1.2.postgresql:udp',
      'example.com',
      'web@dc2',
    ],
    ...['env:prod.postgresql', 'tag.service:tcp'],
  ])('%s stays a service', (line) => {
    expect(reasonOf(line)).toMatch(/^none: service/);
  });

  test.each([
    '10.0.0.0/8:tcp/80',
    '[2001:db8::]/32:udp/53',
    '1.2.3.x:tcp/80',
    '0x7f000001:tcp/80',
    'fe80::1:tcp/80',
  ])('%s stays an address', (line) => {
    expect(reasonOf(line)).not.toMatch(/^none: name|a name/);
  });

  test.each(['api.example.com:tcp/443', '*.example.com:tcp/443', 'db@10.0.0.0/8:tcp/80'])(
    '%s is none of who may call',
    (line) => {
      expect(parseRule(line, 'ingress')).toEqual({
        reason: `expected an address or a service, got the name "${line}": rules by name say what a workload may reach, and not who may call; write the addresses of the callers, as in 192.0.2.7:${line.replace(/^.*:/, '')}`,
      });
    },
  );

  it('is warned of where a prefix has host bits', () => {
    expect(parseRule('db@10.0.0.5/8:tcp/80')).toMatchObject({
      warnings: ['expected no host bits in a prefix, got "10.0.0.5/8"; it is read as 10.0.0.0/8'],
    });
  });

  it('that is printed is read as the same rule, whatever it is', () => {
    const prefixes = fc.subarray(
      ['10.0.0.0/8', '192.168.7.1', '2001:db8::/32', 'fd00::/8'].map(prefixOfText),
    );
    const names = hostName.filter(
      (name) =>
        name.length > 1 && !/^\d+$|-$/.test(name.at(-1) ?? '') && !name.some((label) => label.endsWith('-')),
    );
    const ranges = fc.constantFrom(
      port(443),
      [{ first: 0, last: 65_535 }],
      [...port(1), { first: 5, last: 70 }],
    );
    fc.assert(
      fc.property(
        names,
        fc.constantFrom('self', 'one', 'any'),
        prefixes,
        fc.constantFrom('tcp', 'udp'),
        ranges,
        (name, depth, where, protocol, list) => {
          const rule = { kind: 'name', name, depth, prefixes: where, protocol, ranges: list } as const;
          const parsed = parseRule(formatRule(rule));
          if (/^(?:\d+\.){3}\d/.test(name.join('.'))) return;
          expect(parsed).toEqual({ rule, warnings: [] });
        },
      ),
    );
  });

  it('of a megabyte is read or rejected in a moment, and not repeated', () => {
    const units = ['1', 'a', '.', ':', '/', '[', '@', '#', ' #', 'a.', '1:', '*.', '::', ',', 'a,', '\u00e9'];
    const huge = units.map((unit) => unit.repeat(1_000_000 / unit.length));
    const used = cpuTime(() => {
      for (const line of huge) expect(reasonOf(`api.example.com:tcp/${line}`).length).toBeLessThan(400);
      for (const line of huge) expect(reasonOf(`*.x${line}x:tcp/1`).length).toBeLessThan(400);
      for (const line of huge) expect(reasonOf(`db@10.${line}:tcp/1`).length).toBeLessThan(400);
    });
    expect(used).toBeLessThan(20_000);
  });
});
