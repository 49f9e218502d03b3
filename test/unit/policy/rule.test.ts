import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Prefix, prefixOf, WIDTH } from '../../../src/net/address.ts';
import { normalize } from '../../../src/net/ranges.ts';
import { formatRule, MOST_LINES, parseRule, parseRules, type Rule } from '../../../src/policy/rule.ts';
import { cpuTime, families, protocols } from './allow-entries.ts';
import { A_PORT, addressRuleOf, reasonOf, ruleOf } from './rules.ts';

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
    [
      '10.0.0.1:tcp/80#db',
      'expected a space before a comment, got "10.0.0.1:tcp/80#db"; write "10.0.0.1:tcp/80 #db"',
    ],
    ['pg#the database', 'expected a space before a comment, got "pg#the database"; write "pg #the database"'],
    ['10.0.0.1:tcp/x#db', `${A_PORT} "x#db"`],
    ['10.0.0.1:tcp/80\0', 'expected visible characters only, got "10.0.0.1:tcp/80\\x00"'],
    ['web\u200b', 'expected visible characters only, got "web\\u200b"'],
    ['\u202ebew', 'expected visible characters only, got "\\u202ebew"'],
    ['web\u001b[31m', 'expected visible characters only, got "web\\x1b[31m"'],
    ['\ud800', 'expected visible characters only, got "\\ud800"'],
  ])('%j is refused', (line, reason) => {
    expect(reasonOf(line)).toBe(reason);
  });

  it('of a megabyte is read or refused in a moment, and not repeated', () => {
    const huge = ['1', 'a', '.', ':', '/', '[', '@', '#', ' #', '1.', 'a.', '1:', '::', '1-', '\u00e9'].map(
      (unit) => unit.repeat(1_000_000 / unit.length),
    );
    const used = cpuTime(() => {
      for (const line of huge) expect(reasonOf(`10.0.0.1:tcp/${line}`).length).toBeLessThan(300);
      for (const line of huge) expect(reasonOf(`x${line}x`).length).toBeLessThan(300);
    });
    expect(used).toBeLessThan(20_000);
  });

  it('may list every port there is', () => {
    const odd = Array.from({ length: 32_768 }, (_, index) => 2 * index + 1);
    expect(addressRuleOf(`10.0.0.1:tcp/${odd.join(',')}`).ranges).toHaveLength(32_768);
    const even = odd.map((port) => port - 1).slice(1);
    expect(addressRuleOf(`10.0.0.1:tcp/${[...odd, ...even].join(',')}`).ranges).toEqual([
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
    expect(problem?.text).toBe(`\\x1b]0;${'x'.repeat(76)}…`);
    expect(problem?.reason.length).toBeLessThan(200);
  });

  it(`reads ${MOST_LINES} lines and says that there are more`, () => {
    const text = `${'\n'.repeat(MOST_LINES - 1)}10.0.0.1:tcp/80`;
    expect(parseRules('web', text)).toMatchObject({ rules: [{ line: MOST_LINES }], problems: [] });
    const { rules, problems } = parseRules('web', `${text}\n10.0.0.2:tcp/80\nbad line\n`);
    expect(rules).toHaveLength(1);
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
      { numRuns: 200 },
    );
  });
});
