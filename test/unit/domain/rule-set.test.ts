import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  contains,
  formatPrefix,
  halves,
  type Prefix,
  parseAddress,
  parsePrefix,
  WIDTH,
} from '../../../src/domain/address.ts';
import { type AddressRule, parseRule } from '../../../src/domain/rule.ts';
import {
  type Allowance,
  allows,
  canonical,
  type Element,
  isEmpty,
  protect,
  type RuleSet,
  serialize,
} from '../../../src/domain/rule-set.ts';
import { adverse, allowances, asAllowances, everyPoint, naive, points } from './allowances.ts';

const rule = (line: string): AddressRule => {
  const parsed = parseRule(line);
  if (parsed === undefined || 'reason' in parsed || parsed.rule.kind !== 'address') throw new Error(line);
  return parsed.rule;
};

const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

const canonicalText = (...lines: string[]): string[] =>
  serialize(canonical(lines.map(rule)))
    .split('\n')
    .slice(0, -1);

const some = fc.array(allowances, { maxLength: 14 });

const overlap = (a: Element, b: Element): boolean =>
  a.protocol === b.protocol &&
  (contains(a.prefix, b.prefix) || contains(b.prefix, a.prefix)) &&
  a.range.first <= b.range.last &&
  b.range.first <= a.range.last;

const overlapping = (ruleSet: RuleSet): (readonly [Element, Element])[] =>
  ruleSet.layers.flatMap((layer) =>
    layer.flatMap((a, index) =>
      layer.slice(index + 1).flatMap((b) => (overlap(a, b) ? [[a, b] as const] : [])),
    ),
  );

const rangesOf = (allowed: readonly Allowance[]): number =>
  allowed.reduce((sum, one) => sum + one.ranges.length, 0);

describe('the canonical form', () => {
  test.each([
    ['nothing', [], []],
    ['one rule', ['10.0.0.0/8:tcp/80'], ['0 10.0.0.0/8 tcp 80']],
    ['a rule twice', ['10.0.0.1:tcp/80', '10.0.0.1:tcp/80'], ['0 10.0.0.1 tcp 80']],
    ['ports that touch', ['10.0.0.1:tcp/80', '10.0.0.1:tcp/81-90'], ['0 10.0.0.1 tcp 80-90']],
    ['prefixes that touch', ['10.0.0.0/9:tcp/80', '10.128.0.0/9:tcp/80'], ['0 10.0.0.0/8 tcp 80']],
    [
      'prefixes that touch without being halves of one',
      ['10.0.1.0/24:tcp/80', '10.0.2.0/24:tcp/80'],
      ['0 10.0.1.0/24 tcp 80', '0 10.0.2.0/24 tcp 80'],
    ],
    [
      'four quarters in any order',
      ['10.0.3.0/24:udp', '10.0.0.0/24:udp', '10.0.2.0/24:udp', '10.0.1.0/24:udp'],
      ['0 10.0.0.0/22 udp 0-65535'],
    ],
    [
      'what halves have in common',
      ['10.0.0.0:tcp/80-90', '10.0.0.1:tcp/85-99'],
      ['0 10.0.0.0/31 tcp 85-90', '0 10.0.0.0 tcp 80-84', '0 10.0.0.1 tcp 91-99'],
    ],
    [
      'what a broader prefix allows anyway',
      ['10.0.0.0/8:tcp', '10.1.0.0/16:tcp/80'],
      ['0 10.0.0.0/8 tcp 0-65535'],
    ],
    [
      'what a broader prefix does not allow',
      ['10.0.0.0/8:tcp/80', '10.1.0.0/16:tcp/70-90'],
      ['0 10.0.0.0/8 tcp 80', '0 10.1.0.0/16 tcp 70-79', '0 10.1.0.0/16 tcp 81-90'],
    ],
    ['all of IPv4', ['0.0.0.0/1:icmp', '128.0.0.0/1:icmp'], ['0 0.0.0.0/0 icmp 0-255']],
    ['all of IPv6', ['[::]/1:tcp/443', '[8000::]/1:tcp/443'], ['0 ::/0 tcp 443']],
    ['the last hosts', ['[ffff::fffe]:udp/9', '[ffff::ffff]:udp/9'], ['0 ffff::fffe/127 udp 9']],
    [
      'kinds in their order',
      [
        '[::1]:tcp/1',
        '10.0.0.1:icmp/8',
        '10.0.0.1:udp/1',
        '10.0.0.2:tcp/1',
        '10.0.0.1:tcp/1',
        '10.0.0.0/8:tcp/3',
      ],
      [
        '0 10.0.0.0/8 tcp 3',
        '0 10.0.0.1 tcp 1',
        '0 10.0.0.2 tcp 1',
        '0 10.0.0.1 udp 1',
        '0 10.0.0.1 icmp 8',
        '0 ::1 tcp 1',
      ],
    ],
  ])('of %s', (_, lines, expected) => {
    expect(canonicalText(...lines)).toEqual(expected);
  });

  it('keeps a range whole, in a further layer, where a broader prefix would shatter it', () => {
    const comb = Array.from({ length: 9 }, (_, tooth) => 10 * tooth + 10);
    expect(canonicalText(`10.0.0.0/8:tcp/${comb.join(',')}`, '10.1.0.0/16:tcp/1-99')).toEqual([
      ...comb.map((port) => `0 10.0.0.0/8 tcp ${port}`),
      '1 10.1.0.0/16 tcp 1-99',
    ]);
    expect(
      canonicalText(`10.0.0.0/8:tcp/${comb.slice(0, 7).join(',')}`, '10.1.0.0/16:tcp/1-99'),
    ).toHaveLength(7 + 8);
  });

  it('ignores allowances without ranges', () => {
    expect(canonical([{ prefix: prefix('10.0.0.0/8'), protocol: 'tcp', ranges: [] }])).toEqual({
      layers: [],
    });
  });

  it('takes any iterable, and leaves its input as it was', () => {
    const input = [rule('10.0.0.0/8:tcp/90,80'), rule('10.0.0.0/8:tcp/70')];
    const before = structuredClone(input);
    expect(serialize(canonical(new Set(input)))).toBe(serialize(canonical(input)));
    expect(input).toEqual(before);
  });
});

describe('isEmpty', () => {
  it('says whether anything is allowed', () => {
    expect(isEmpty(canonical([]))).toBe(true);
    expect(isEmpty(canonical([rule('10.0.0.0/8:icmp')]))).toBe(false);
  });
});

describe('for any allowances, the canonical form', () => {
  it('allows the same, point by point', () => {
    fc.assert(
      fc.property(adverse, fc.array(points, { minLength: 30, maxLength: 30 }), (allowed, asked) => {
        const ruleSet = canonical(allowed);
        for (const point of asked)
          expect([point, allows(ruleSet, point.host, point.protocol, point.port)]).toEqual([
            point,
            naive(allowed, point),
          ]);
      }),
      { numRuns: 300 },
    );
  });

  it('allows the same at every single point', () => {
    const all = everyPoint();
    const differs = (allowed: readonly Allowance[], flat: readonly Allowance[]) =>
      all.find((point) => naive(allowed, point) !== naive(flat, point));
    fc.assert(
      fc.property(some, (allowed) => {
        expect(differs(allowed, asAllowances(canonical(allowed)))).toBeUndefined();
      }),
      { numRuns: 150 },
    );
  });

  it('has no overlaps within a layer', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        expect(overlapping(canonical(allowed))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order', () => {
    const shuffled = adverse.chain((allowed) =>
      fc.tuple(fc.constant(allowed), fc.shuffledSubarray(allowed, { minLength: allowed.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(serialize(canonical(other))).toBe(serialize(canonical(one)));
      }),
    );
  });

  it('is its own canonical form, where one layer holds it', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const ruleSet = canonical(allowed);
        if (ruleSet.layers.length < 2) expect(canonical(asAllowances(ruleSet))).toEqual(ruleSet);
      }),
      { numRuns: 300 },
    );
  });

  it('depends on what is allowed and not on how it is written, where one layer holds it', () => {
    fc.assert(
      fc.property(some, fc.infiniteStream(fc.boolean()), (allowed, coins) => {
        const rewritten = allowed.flatMap((one) => pieces(one, () => coins.next().value === true));
        const [one, other] = [canonical(allowed), canonical([...rewritten].reverse())];
        if (one.layers.length < 2 && other.layers.length < 2) expect(other).toEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  it('stays small, in few layers', () => {
    fc.assert(
      fc.property(adverse, (allowed) => {
        const { layers } = canonical(allowed);
        expect(layers.flat().length).toBeLessThanOrEqual(8 * rangesOf(allowed));
        expect(layers.length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 300 },
    );
  });
});

/** The same allowance in several: halves of the prefix, and the ports apart. */
const pieces = (one: Allowance, coin: () => boolean): Allowance[] => {
  if (one.prefix.length < WIDTH[one.prefix.family] && coin())
    return halves(one.prefix).flatMap((half) => pieces({ ...one, prefix: half }, coin));
  return one.ranges.flatMap(({ first, last }) => {
    const cut =
      first < last && coin()
        ? [
            { first, last: first },
            { first: first + 1, last },
          ]
        : [{ first, last }];
    return cut.map((range) => ({ ...one, ranges: [range] }));
  });
};

describe('an adverse rule set', () => {
  const comb = (teeth: number, first = 1) =>
    Array.from({ length: teeth }, (_, tooth) => ({ first: first + 2 * tooth, last: first + 2 * tooth }));
  const wide = [{ first: 1, last: 65_535 }];
  const v4 = (address: number, length: number): Prefix => ({ family: 4, address: BigInt(address), length });
  const ten = 10 * 2 ** 24;
  const tcp = (at: Prefix, ranges: Allowance['ranges']): Allowance => ({
    prefix: at,
    protocol: 'tcp',
    ranges,
  });
  const spread = (count: number, length: number): Allowance[] =>
    Array.from({ length: count }, (_, index) => tcp(v4(ten + index * 512, length), wide));

  /** Siblings all the way up, each with gaps elsewhere: promotion happens 128 times over. */
  const staircase = Array.from({ length: 128 }, (_, step) =>
    tcp(
      { family: 6, address: step === 0 ? 0n : 1n << BigInt(step - 1), length: 129 - Math.max(step, 1) },
      Array.from({ length: 256 }, (_, gap) => ({
        first: gap * 256 + 2 * step,
        last: Math.min(65_535, gap * 256 + 2 * step + 254),
      })),
    ),
  );

  test.each<[string, Allowance[]]>([
    ['a comb above 10,000 wide ranges', [tcp(v4(ten, 8), comb(10_000)), ...spread(10_000, 32)]],
    [
      'a comb above 10,000 nested pairs',
      [tcp(v4(ten, 8), comb(32_767)), ...spread(10_000, 24), ...spread(10_000, 32)],
    ],
    [
      'two combs that close each other, above 10,000 wide ranges',
      [tcp(v4(ten, 8), comb(32_767)), tcp(v4(ten, 9), comb(32_767, 2)), ...spread(10_000, 32)],
    ],
    [
      'a chain of /1 to /128',
      Array.from({ length: 128 }, (_, index) =>
        tcp({ family: 6, address: 0n, length: index + 1 }, comb(256, 1 + 512 * index)),
      ),
    ],
    ['a staircase of siblings', staircase],
    [
      '20,000 networks of 64 bits, whose low halves are all zero',
      Array.from({ length: 20_000 }, (_, index) =>
        tcp({ family: 6, address: BigInt(3 * index) << 64n, length: 64 }, wide),
      ),
    ],
    [
      'one prefix 50,000 times',
      Array.from({ length: 50_000 }, (_, index) =>
        tcp(v4(ten, 8), [{ first: index, last: 60_000 - (index % 7) }]),
      ),
    ],
  ])('%s: is made quickly and stays linear', (_, allowed) => {
    const started = performance.now();
    const { layers } = canonical(allowed);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(layers.flat().length).toBeLessThanOrEqual(4 * rangesOf(allowed));
    expect(layers.length).toBeLessThanOrEqual(6);
  });
});

describe('protect', () => {
  const metadata = ['169.254.169.254', 'fd00:ec2::254'].map(prefix);
  const at = (text: string) => parseAddress(text) ?? prefix('invalid');
  const guarded = (...lines: string[]): RuleSet => canonical(protect(lines.map(rule), metadata));

  test.each([
    ['0.0.0.0/0:tcp', '169.254.169.254', false],
    ['0.0.0.0/0:tcp', '169.254.169.253', true],
    ['0.0.0.0/0:tcp', '169.254.169.255', true],
    ['0.0.0.0/0:tcp', '255.255.255.255', true],
    ['169.254.0.0/16:tcp', '169.254.169.254', false],
    ['169.254.168.0/23:tcp', '169.254.169.254', false],
    ['169.254.169.0/24:tcp', '169.254.169.254', true],
    ['169.254.169.254:tcp', '169.254.169.254', true],
    ['10.0.0.0/8:tcp', '10.0.0.1', true],
    ['[::]/0:tcp', 'fd00:ec2::254', false],
    ['[::]/0:tcp', 'fd00:ec2::255', true],
    ['[fd00:ec2::]/63:tcp', 'fd00:ec2::254', false],
    ['[fd00:ec2::]/64:tcp', 'fd00:ec2::254', true],
  ])('%s allows %s: %s', (line, host, allowed) => {
    expect(allows(guarded(line), at(host), 'tcp', 80)).toBe(allowed);
  });

  it('lets a rule that names the host grant it beside a broad one', () => {
    const ruleSet = guarded('0.0.0.0/0:tcp', '169.254.169.254:tcp/80');
    expect(allows(ruleSet, at('169.254.169.254'), 'tcp', 80)).toBe(true);
    expect(allows(ruleSet, at('169.254.169.254'), 'tcp', 81)).toBe(false);
  });

  it('is not fooled by a broad prefix written as two', () => {
    expect(allows(guarded('0.0.0.0/1:tcp', '128.0.0.0/1:tcp'), at('169.254.169.254'), 'tcp', 80)).toBe(false);
  });

  it('carves out hosts that are neighbours, and prefixes', () => {
    const left = protect(
      [rule('10.0.0.0/22:tcp')],
      [prefix('10.0.0.2'), prefix('10.0.0.3'), prefix('10.0.1.0/24')],
    );
    expect(left.map((one) => formatPrefix(one.prefix))).toEqual([
      '10.0.0.0/31',
      '10.0.0.4/30',
      '10.0.0.8/29',
      '10.0.0.16/28',
      '10.0.0.32/27',
      '10.0.0.64/26',
      '10.0.0.128/25',
      '10.0.2.0/23',
    ]);
    expect(protect([rule('10.0.1.0/24:tcp')], [prefix('10.0.0.0/8')], { 4: 32, 6: 128 })).toEqual([]);
  });

  it('leaves the rest as it was', () => {
    const rules = [rule('10.0.0.0/8:tcp'), rule('169.254.169.254:udp/53'), rule('[::1]:icmp')];
    expect(protect(rules, metadata)).toEqual(rules);
    expect(protect([rule('0.0.0.0/0:tcp')], [])).toEqual([rule('0.0.0.0/0:tcp')]);
  });

  it('takes away the protected hosts from broad prefixes, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(allowances, { maxLength: 8 }),
        fc.array(
          points.map(({ host }) => host),
          { maxLength: 4 },
        ),
        fc.array(points, { minLength: 20, maxLength: 20 }),
        (allowed, protectedHosts, asked) => {
          const minimum = { 4: 30, 6: 62 };
          const left = protect(allowed, protectedHosts, minimum);
          const named = allowed.filter(({ prefix: { family, length } }) => length >= minimum[family]);
          for (const point of asked) {
            const isProtected = protectedHosts.some((host) => contains(host, point.host));
            expect(naive(left, point)).toBe(naive(isProtected ? named : allowed, point));
          }
        },
      ),
    );
  });
});
