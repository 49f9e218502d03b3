/**
 * Each template in full: what a person would read in `--dry-run`. After a change that is meant, look at
 * the difference and run `vitest run --update` on this file.
 */
import { describe, expect, it } from 'vitest';
import type { RenderInput } from '../../src/features/egress/context.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { portClasses } from '../../src/policy/port-classes.ts';
import { nameRule } from '../unit/features/names/names.ts';
import { NOTHING, renderWith, ruleSet } from './rules.ts';

const allowed = ruleSet(
  '10.0.0.0/8:tcp/80,443,8000-8100',
  '192.0.2.7:udp/53',
  '192.0.2.0/24:icmp/8',
  '[2001:db8::]/32:tcp/443',
  '[2001:db8::7]:udp',
  '[2001:db8::]/32:icmp',
);
const ungranted = ruleSet('10.1.0.0/16:tcp/5432', '[2001:db8:1::]/48:tcp/5432', '192.0.2.9:icmp/8');
const classes = portClasses(['tcp/80,443,8000-8100', 'udp/443'].map((ports) => nameRule(`a.test:${ports}`)));
const resolvers = ['192.0.2.53', '2001:db8::53', '192.0.2.54'];

const CASES: Readonly<Record<string, readonly [template: string, input: Partial<RenderInput>]>> = {
  nftables: ['nftables', { allowed, resolvers }],
  'nftables-nothing': ['nftables', {}],
  'nftables-audit': ['nftables', { allowed, mode: 'audit' }],
  'nftables-no-names': ['nftables', { allowed, dns: 'none', resolvers }],
  'nftables-by-name': ['nftables', { allowed, dns: 'names', classes, resolvers }],
  'nftables-by-name-audit': ['nftables', { dns: 'names', classes, mode: 'audit' }],
  iptables: ['iptables', { allowed, resolvers }],
  'iptables-nothing': ['iptables', {}],
  'iptables-audit': ['iptables', { allowed, mode: 'audit' }],
  'iptables-no-names': ['iptables', { allowed, dns: 'none', resolvers }],
  denylist: ['denylist', { allowed, ungranted, resolvers }],
  'denylist-nothing': ['denylist', {}],
  'denylist-audit-no-names': ['denylist', { ungranted, mode: 'audit', dns: 'none' }],
  lockdown: ['lockdown', {}],
};

describe.each(Object.entries(CASES))('%s', (name, [template, input]) => {
  it('is the text that was written down', async () => {
    const { text } = renderWith(template, input);
    await expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it('has no line that ends in a space, and no two blank lines on end', () => {
    expect(renderWith(template, input).text).not.toMatch(/[ \t]$|\n\n\n/m);
  });
});

it('puts a namespace’s facts in front, and an end behind', async () => {
  const facts = { resolvers, attachments: ['network:endpoint'] };
  await expect(withFacts(renderWith('lockdown').text, facts)).toMatchFileSnapshot('golden/with-facts.txt');
});

it('numbers the sets of further layers', () => {
  const [layer = []] = allowed.layers;
  const { text } = renderWith('nftables', { ...NOTHING, allowed: { layers: [[], layer] } });
  expect(text).toContain('  set allowed4_1 {');
  expect(text).toContain('th dport @allowed4_1 ct mark set');
  expect(text).not.toContain('set allowed4 {');
});
