/**
 * What goes in front of a text, and by what a namespace's facts are recognised.
 */
import { describe, expect, it } from 'vitest';
import {
  expectedFacts,
  type Facts,
  factsDigest,
  recordsDenied,
  withFacts,
} from '../../../../src/features/egress/facts.ts';
import { loadTemplate } from '../../../../src/features/egress/included-templates.ts';

const facts: Facts = { resolvers: ['192.0.2.53', '2001:DB8:0::53'], attachments: ['a:1', 'b:2'] };

describe('factsDigest', () => {
  it('is 32 bits as the kernel prints them', () => {
    expect(factsDigest(facts)).toMatch(/^0x[0-9a-f]{8}$/);
  });

  it('does not depend on order, notation, duplicates or what is no address', () => {
    const same = {
      resolvers: ['2001:db8::53', 'nonsense', '192.0.2.53', '192.0.2.53'],
      attachments: ['b:2', 'a:1'],
    };
    expect(factsDigest(same)).toBe(factsDigest(facts));
  });

  it.each([
    { ...facts, resolvers: ['192.0.2.53'] },
    { ...facts, attachments: ['a:1'] },
    { ...facts, attachments: ['a:1', 'b:3'] },
    { resolvers: [], attachments: [] },
  ])('changes with the facts: %j', (other) => {
    expect(factsDigest(other)).not.toBe(factsDigest(facts));
  });
});

describe('withFacts', () => {
  it('defines the variables of an nft text and says where it ends', () => {
    expect(withFacts('table inet x {}\n', facts)).toBe(`define facts = ${factsDigest(facts)}
define resolvers4 = { 127.0.0.1, 192.0.2.53 }
define resolvers6 = { ::1, 2001:db8::53 }
table inet x {}
# end
`);
  });

  it('never leaves a set empty', () => {
    const text = withFacts('', { resolvers: [], attachments: [] });
    expect(text).toContain('define resolvers4 = { 127.0.0.1 }\ndefine resolvers6 = { ::1 }\n');
  });

  it('leaves out what is no address, whatever it is', () => {
    const resolvers = ['1.2.3.4 }\nflush ruleset', 'fe80::1%eth0', '$x', '1.2.3', ''];
    expect(withFacts('', { ...facts, resolvers })).toContain('resolvers4 = { 127.0.0.1 }\n');
  });

  it('adds only the end to a text for xtables', () => {
    expect(withFacts('#!iptables-restore\n*filter\nCOMMIT', facts)).toBe(
      '#!iptables-restore\n*filter\nCOMMIT\n# end\n',
    );
  });
});

describe('expectedFacts', () => {
  it('is what the kernel must say, where the text keeps the facts', () => {
    expect(expectedFacts('meta mark $facts counter', facts)).toBe(factsDigest(facts));
  });

  it.each(['meta mark 1', 'meta mark $factsheet', '#!iptables-restore\n$facts'])(
    'is nothing for: %s',
    (text) => {
      expect(expectedFacts(text, facts)).toBeUndefined();
    },
  );
});

it.each([
  ['nftables', true],
  ['denylist', true],
  ['iptables', false],
] as const)('the template %s keeps refused destinations: %j', (name, keeps) => {
  expect(recordsDenied(loadTemplate(name).source)).toBe(keeps);
});
