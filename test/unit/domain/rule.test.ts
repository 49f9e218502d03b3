import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { formatPrefix, type Prefix, prefixOf, WIDTH } from '../../../src/domain/address.ts';
import { normalize } from '../../../src/domain/ranges.ts';
import {
  type AddressRule,
  formatRule,
  MOST_LINES,
  parseRule,
  parseRules,
  type Rule,
  type ServiceRule,
} from '../../../src/domain/rule.ts';
import { families, protocols } from './allowances.ts';

const ruleOf = (line: string): Rule => {
  const parsed = parseRule(line);
  if (parsed === undefined || 'reason' in parsed) throw new Error(parsed?.reason ?? 'blank');
  return parsed.rule;
};

const reasonOf = (line: string): string => {
  const parsed = parseRule(line);
  if (parsed !== undefined && 'reason' in parsed) return parsed.reason;
  return `none: ${parsed === undefined ? 'blank' : formatRule(parsed.rule)}`;
};

const AN_ADDRESS = 'expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got';
const A_SERVICE = 'expected a service name of letters, digits, "-" and "_", or an address, got';
const A_PORT = 'expected a port 0-65535 or a range of them, got';
const FROM_CATALOG = 'expected tcp or udp after a service, whose port comes from the catalog, got';

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
    const rule = ruleOf(line) as AddressRule;
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
    ['*:tcp/80', `${AN_ADDRESS} "*"`],
    ['010.0.0.1:tcp/80', `${AN_ADDRESS} "010.0.0.1"`],
    ['0x0a000001:tcp/80', `${AN_ADDRESS} "0x0a000001"`],
    ['8080', `${AN_ADDRESS} "8080"`],
    ['postgresql/5432', `${AN_ADDRESS} "postgresql/5432"`],
    ['https://example.org/', 'expected an address or a service, got the URL "https://example.org/"'],
    ['10.0.0.1/32/tcp/80', 'expected a prefix length 0-32 after "/", got "32/tcp/80"'],
    [
      '10.0.0.1-10.0.0.9:tcp/80',
      'expected one address or prefix, got the address range "10.0.0.1-10.0.0.9"; write it as prefixes',
    ],
    ['10.0.0.1,10.0.0.2:tcp/80', `${AN_ADDRESS} "10.0.0.1,10.0.0.2"`],
    ['2001:db8::g:tcp/80', `${AN_ADDRESS} "2001:db8::g"`],
    ['2001:db8:1:tcp/80', `${AN_ADDRESS} "2001:db8:1"`],
    ['fe80::1%eth0:tcp/80', 'expected an IPv6 address without a zone, got "fe80::1%eth0"'],
    [
      '::ffff:10.0.0.1:tcp/80',
      'expected the IPv4 address itself, 10.0.0.1, got the mapped form "::ffff:10.0.0.1"',
    ],
    ['[10.0.0.1]:tcp/80', 'expected an IPv6 address in brackets, got "[10.0.0.1]"'],
    ['[::1:tcp/80', 'expected "[address]" or "[address]/length", got "[::1"'],
    ['[2001:db8::/32]:tcp/80', 'expected "[address]" or "[address]/length", got "[2001:db8::/32]"'],
  ])('refuses %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });
});

describe('a rule by service', () => {
  const service = (name: string, more: Partial<ServiceRule> = {}): ServiceRule => ({
    kind: 'service',
    service: name,
    tag: undefined,
    datacenter: undefined,
    protocol: 'tcp',
    ...more,
  });

  test.each([
    ['postgresql', service('postgresql')],
    ['production.postgresql', service('postgresql', { tag: 'production' })],
    ['production.postgresql@dc2', service('postgresql', { tag: 'production', datacenter: 'dc2' })],
    ['postgresql@dc2:udp', service('postgresql', { datacenter: 'dc2', protocol: 'udp' })],
    ['production.dns:UDP', service('dns', { tag: 'production', protocol: 'udp' })],
    ['production.dns:tcp', service('dns', { tag: 'production' })],
    ['a.b.c.web', service('web', { tag: 'a.b.c' })],
    ['9.6.postgresql', service('postgresql', { tag: '9.6' })],
    ['1.2.3.web', service('web', { tag: '1.2.3' })],
    ['env:prod.web', service('web', { tag: 'env:prod' })],
    ['env:prod.web:udp', service('web', { tag: 'env:prod', protocol: 'udp' })],
    ['env=prod.web', service('web', { tag: 'env=prod' })],
    ['c#.web', service('web', { tag: 'c#' })],
    ['grün.wäb_1', service('wäb_1', { tag: 'grün' })],
    ['tcp', service('tcp')],
    ['2048-game', service('2048-game')],
  ])('%s', (line, rule) => {
    expect(parseRule(line)).toEqual({ rule, warnings: [] });
  });

  test.each([
    ['postgresql:tcp/5432', `${FROM_CATALOG} ":tcp/5432"`],
    ['postgresql:5432', `${FROM_CATALOG} ":5432"`],
    ['db.example.org:tcp/5432', `${FROM_CATALOG} ":tcp/5432"`],
    ['postgresql:icmp', 'expected tcp or udp after a service, got ":icmp"'],
    ['postgresql:', 'expected tcp or udp after a service, got ":"'],
    ['postgresql:udp@dc2', 'expected the datacenter before the protocol, got ":udp@dc2"'],
    [':tcp/80', 'expected an address or a service before ":tcp/80"'],
    ['.web', 'expected a tag without quotes, "/", "," or "@" before the last dot, got ""'],
    ['a,b.web', 'expected a tag without quotes, "/", "," or "@" before the last dot, got "a,b"'],
    [
      '"a.web',
      'expected a tag without quotes, "/", "," or "@" before the last dot, got "\\"a"'.replace('\\', ''),
    ],
    ['web.', `${A_SERVICE} ""`],
    ['.', `${AN_ADDRESS} "."`],
    ['@dc2', `${A_SERVICE} ""`],
    ['prod.web$', `${A_SERVICE} "web$"`],
    ["prod.web'", `${A_SERVICE} "web'"`],
    ['prod.-web', `${A_SERVICE} "-web"`],
    ['prod.1', `${A_SERVICE} "1"`],
    ['web@', 'expected a datacenter of letters, digits, "-" and "_" after "@", got ""'],
    ['web@dc.2', 'expected a datacenter of letters, digits, "-" and "_" after "@", got "dc.2"'],
    ['web@a@b', 'expected a datacenter of letters, digits, "-" and "_" after "@", got "a@b"'],
    ['<<<<<<<', `${A_SERVICE} "<<<<<<<"`],
  ])('refuses %s', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });
});

describe('a line', () => {
  test.each(['', ' ', '\t', '\r', '\ufeff', '#', '# 10.0.0.1:tcp/80', '  #x', '\t# y\r'])(
    '%j is none',
    (line) => {
      expect(parseRule(line)).toBeUndefined();
    },
  );

  test.each([
    '  10.0.0.1:tcp/80  ',
    '\t10.0.0.1:tcp/80\t',
    '10.0.0.1:tcp/80\r',
    '\ufeff10.0.0.1:tcp/80',
    '10.0.0.1:tcp/80 # db',
    '10.0.0.1:tcp/80\t#db # and more',
  ])('%j is the rule alone', (line) => {
    expect(ruleOf(line)).toEqual(ruleOf('10.0.0.1:tcp/80'));
  });

  test.each([
    ['10.0.0.1:tcp/80, 443', 'expected one rule without spaces inside, got "10.0.0.1:tcp/80, 443"'],
    ['10.0.0.1 :tcp/80', 'expected one rule without spaces inside, got "10.0.0.1 :tcp/80"'],
    ['10.0.0.1:tcp/80#db', `${A_PORT} "80#db"`],
    ['10.0.0.1:tcp/80\0', 'expected visible characters only, got "10.0.0.1:tcp/80\\u{0}"'],
    ['web\u200b', 'expected visible characters only, got "web\\u{200b}"'],
    ['\u202ebew', 'expected visible characters only, got "\\u{202e}bew"'],
    ['web\u001b[31m', 'expected visible characters only, got "web\\u{1b}[31m"'],
    ['\ud800', 'expected visible characters only, got "\\u{d800}"'],
  ])('%j is refused', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  it('of a megabyte is read or refused in a moment, and not repeated', () => {
    const huge = ['1', 'a', '.', ':', '/', '[', '@', '#', ' #', '1.', 'a.', '1:', '::', '1-', '\u00e9'].map(
      (unit) => unit.repeat(1_000_000 / unit.length),
    );
    const started = performance.now();
    for (const line of huge) expect(reasonOf(`10.0.0.1:tcp/${line}`).length).toBeLessThan(300);
    for (const line of huge) expect(reasonOf(`x${line}x`).length).toBeLessThan(300);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it('may list every port there is', () => {
    const odd = Array.from({ length: 32_768 }, (_, index) => 2 * index + 1);
    expect((ruleOf(`10.0.0.1:tcp/${odd.join(',')}`) as AddressRule).ranges).toHaveLength(32_768);
    const even = odd.map((port) => port - 1).slice(1);
    expect((ruleOf(`10.0.0.1:tcp/${[...odd, ...even].join(',')}`) as AddressRule).ranges).toEqual([
      { first: 1, last: 65_535 },
    ]);
  });
});

describe('a printed rule', () => {
  const anyPrefix: fc.Arbitrary<Prefix> = families
    .chain((family) =>
      fc
        .tuple(fc.bigInt(0n, (1n << BigInt(WIDTH[family])) - 1n), fc.nat({ max: WIDTH[family] }))
        .map(([address, length]) => prefixOf(family, address, length)),
    )
    .filter(({ family, address }) => family === 4 || address >> 32n !== 0xffffn);
  const addressRules: fc.Arbitrary<Rule> = fc
    .record({
      kind: fc.constant('address' as const),
      prefix: anyPrefix,
      protocol: protocols,
      numbers: fc.array(fc.tuple(fc.nat({ max: 65_534 }), fc.nat({ max: 9000 })), { minLength: 1 }),
    })
    .map(({ numbers, protocol, ...rest }) => {
      const [least, most] = protocol === 'icmp' ? [0, 255] : [1, 65_535];
      const ranges = numbers.map(([start, more]) => {
        const first = least + (start % most);
        return { first, last: Math.min(most, first + more) };
      });
      return { ...rest, protocol, ranges: normalize(ranges) };
    });
  const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
  const serviceRules: fc.Arbitrary<Rule> = fc.record({
    kind: fc.constant('service' as const),
    service: name,
    tag: fc.option(fc.stringMatching(/^[a-z]([a-z0-9.=#_!-]|[a-z]:[a-z]){0,9}$/), { nil: undefined }),
    datacenter: fc.option(name, { nil: undefined }),
    protocol: fc.constantFrom('tcp', 'udp'),
  });

  it('is read as the same rule', () => {
    fc.assert(
      fc.property(fc.oneof(addressRules, serviceRules), (rule) => {
        fc.pre(!/^[\da-f]{0,4}:[\da-f]{0,4}:/.test(formatRule(rule)));
        expect(parseRule(formatRule(rule))).toEqual({ rule, warnings: [] });
      }),
      { numRuns: 500 },
    );
  });

  it('of whatever was read, is read as the same rule', () => {
    const scraps = [
      '10.0.0.1',
      '/8',
      '2001:db8::',
      '[',
      ']',
      '::',
      ':',
      '.',
      '@',
      'tcp',
      'udp',
      'icmp',
      '/',
      '80',
      ',',
      '-',
      'a',
      'B',
      '1',
      '#',
      ' ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...scraps), { maxLength: 9 }), (parts) => {
        const parsed = parseRule(parts.join(''));
        if (parsed === undefined || 'reason' in parsed) return;
        expect(parseRule(formatRule(parsed.rule))).toEqual({ rule: parsed.rule, warnings: [] });
      }),
      { numRuns: 5000 },
    );
  });
});

describe('parseRules', () => {
  it('applies the good lines and reports the bad ones, each with its line', () => {
    const text =
      '\ufeff# web\r\n10.0.0.1:tcp/80 # one\r\n\r\n 10.0.0.1:tcp/99999\n10.0.0.5/8:udp/53\rproduction.db\n';
    expect(parseRules('web', text)).toEqual({
      rules: [
        { line: 2, text: '10.0.0.1:tcp/80 # one', rule: ruleOf('10.0.0.1:tcp/80') },
        { line: 5, text: '10.0.0.5/8:udp/53', rule: ruleOf('10.0.0.0/8:udp/53') },
        { line: 6, text: 'production.db', rule: ruleOf('production.db') },
      ],
      problems: [
        { severity: 'error', key: 'web', line: 4, text: '10.0.0.1:tcp/99999', reason: `${A_PORT} "99999"` },
        {
          severity: 'warning',
          key: 'web',
          line: 5,
          text: '10.0.0.5/8:udp/53',
          reason: 'expected no host bits in a prefix, got "10.0.0.5/8"; it is read as 10.0.0.0/8',
        },
      ],
    });
  });

  it('finds nothing in an empty value', () => {
    expect(parseRules('web', '')).toEqual({ rules: [], problems: [] });
  });

  it('cuts the text of a problem, and makes what is invisible in it visible', () => {
    const [problem] = parseRules('web', `\u001b]0;${'x'.repeat(100_000)}`).problems;
    expect(problem?.text).toBe(`\\u{1b}]0;${'x'.repeat(76)}…`);
    expect(problem?.reason.length).toBeLessThan(200);
  });

  it(`reads ${MOST_LINES} lines and says that there are more`, () => {
    const text = '10.0.0.1:tcp/80\n'.repeat(MOST_LINES);
    expect(parseRules('web', text.trimEnd())).toMatchObject({ rules: { length: MOST_LINES }, problems: [] });
    const { rules, problems } = parseRules('web', `${text}10.0.0.2:tcp/80\nbad line\n`);
    expect(rules).toHaveLength(MOST_LINES);
    expect(problems).toEqual([
      {
        severity: 'error',
        key: 'web',
        line: MOST_LINES + 1,
        reason: 'expected at most 100000 lines in a key, got more; those from here on have no effect',
      },
    ]);
  });

  it('never throws, and gives every line of any text to a rule, a problem or nothing', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString('utf8'));
    const scraps = fc.array(
      fc.constantFrom('\0', '\n', '\r', '\ufeff', '10.0.0.0/8', ':', 'tcp', '/', '#', ' ', '\ud800'),
    );
    const strange = scraps.map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(bytes, strange, fc.string({ unit: 'binary' })), (text) => {
        const { rules, problems } = parseRules('key', text);
        const lines = text.split(/\r\n?|\n/).length;
        for (const { line } of [...rules, ...problems]) expect(line).toBeLessThanOrEqual(lines);
        for (const { reason, text: shown } of problems) expect(`${reason}${shown}`).not.toMatch(/\p{C}/u);
      }),
      { numRuns: 500 },
    );
  });
});
