import { describe, expect, it, test } from 'vitest';
import { canonical, isEmpty } from '../../../src/policy/rule-set.ts';
import { serialize } from './rule-sets.ts';
import { addressRuleOf, prefixOfText } from './rules.ts';

const canonicalText = (...lines: string[]): string[] =>
  serialize(canonical(lines.map(addressRuleOf)))
    .split('\n')
    .slice(0, -1);
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
    const comb = Array.from({ length: 8 }, (_, tooth) => 10 * tooth + 10);
    expect(canonicalText(`10.0.0.0/8:tcp/${comb.join(',')}`, '10.1.0.0/16:tcp/1-99')).toEqual([
      ...comb.map((port) => `0 10.0.0.0/8 tcp ${port}`),
      '1 10.1.0.0/16 tcp 1-99',
    ]);
    expect(
      canonicalText(`10.0.0.0/8:tcp/${comb.slice(0, 7).join(',')}`, '10.1.0.0/16:tcp/1-99'),
    ).toHaveLength(7 + 8);
  });

  it('drops what a range in a further layer allows anyway', () => {
    const comb = '10.0.0.0/8:tcp/10,20,30,40,50,60,70,80,90';
    const broader = [comb, '10.1.0.0/16:tcp/1-99'];
    expect(canonicalText(...broader, '10.1.1.0/24:tcp/12-15')).toEqual(canonicalText(...broader));
    expect(canonicalText(...broader, '10.1.1.0/24:tcp/92-101').slice(-2)).toEqual([
      '0 10.1.1.0/24 tcp 92-101',
      '1 10.1.0.0/16 tcp 1-99',
    ]);
  });

  it('ignores entries without ranges', () => {
    expect(canonical([{ prefix: prefixOfText('10.0.0.0/8'), protocol: 'tcp', ranges: [] }])).toEqual({
      layers: [],
    });
  });

  it('takes any iterable, and leaves its input as it was', () => {
    const input = [addressRuleOf('10.0.0.0/8:tcp/90,80'), addressRuleOf('10.0.0.0/8:tcp/70')];
    const before = structuredClone(input);
    expect(serialize(canonical(new Set(input)))).toBe(serialize(canonical(input)));
    expect(input).toEqual(before);
  });
});

describe('isEmpty', () => {
  it('says whether anything is allowed', () => {
    expect(isEmpty(canonical([]))).toBe(true);
    expect(isEmpty(canonical([addressRuleOf('10.0.0.0/8:icmp')]))).toBe(false);
  });
});
