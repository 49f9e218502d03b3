import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { contains, formatPrefix } from '../../../src/net/address.ts';
import { canonical, excludeProtected, type RuleSet } from '../../../src/policy/rule-set.ts';
import { entries, naive, points } from './allow-entries.ts';
import { allows } from './rule-sets.ts';
import { addressRuleOf, prefixOfText } from './rules.ts';

describe('protect', () => {
  const metadata = ['169.254.169.254', 'fd00:ec2::254'].map(prefixOfText);
  const guarded = (...lines: string[]): RuleSet =>
    canonical(excludeProtected(lines.map(addressRuleOf), metadata));

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
    expect(allows(guarded(line), prefixOfText(host), 'tcp', 80)).toBe(allowed);
  });

  it('lets a rule that names the host grant it beside a broad one', () => {
    const ruleSet = guarded('0.0.0.0/0:tcp', '169.254.169.254:tcp/80');
    expect(allows(ruleSet, prefixOfText('169.254.169.254'), 'tcp', 80)).toBe(true);
    expect(allows(ruleSet, prefixOfText('169.254.169.254'), 'tcp', 81)).toBe(false);
  });

  it('is not fooled by a broad prefix written as two', () => {
    expect(
      allows(guarded('0.0.0.0/1:tcp', '128.0.0.0/1:tcp'), prefixOfText('169.254.169.254'), 'tcp', 80),
    ).toBe(false);
  });

  it('excludes hosts that are neighbours, and prefixes', () => {
    const left = excludeProtected(
      [addressRuleOf('10.0.0.0/22:tcp')],
      [prefixOfText('10.0.0.2'), prefixOfText('10.0.0.3'), prefixOfText('10.0.1.0/24')],
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
    expect(
      excludeProtected([addressRuleOf('10.0.1.0/24:tcp')], [prefixOfText('10.0.0.0/8')], { 4: 32, 6: 128 }),
    ).toEqual([]);
  });

  it('leaves the rest as it was', () => {
    const rules = [
      addressRuleOf('10.0.0.0/8:tcp'),
      addressRuleOf('169.254.169.254:udp/53'),
      addressRuleOf('[::1]:icmp'),
    ];
    expect(excludeProtected(rules, metadata)).toEqual(rules);
    expect(excludeProtected([addressRuleOf('0.0.0.0/0:tcp')], [])).toEqual([addressRuleOf('0.0.0.0/0:tcp')]);
  });

  it('takes away the protected hosts from broad prefixes, and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(entries, { maxLength: 8 }),
        fc.array(
          points.map(({ host }) => host),
          { maxLength: 4 },
        ),
        fc.array(points, { minLength: 20, maxLength: 20 }),
        (allowed, protectedHosts, asked) => {
          const minimum = { 4: 30, 6: 62 };
          const left = excludeProtected(allowed, protectedHosts, minimum);
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
