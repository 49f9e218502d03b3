/**
 * From a rule set to a text: what changes the fingerprint, and what can never get into a text.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TemplateError } from '../../../../src/common/errors.ts';
import type { RenderInput } from '../../../../src/features/egress/context.ts';
import { identityOf } from '../../../../src/features/egress/context.ts';
import { INCLUDED_TEMPLATES, loadTemplate } from '../../../../src/features/egress/included-templates.ts';
import { render } from '../../../../src/features/egress/render.ts';
import { compileEgressTemplate } from '../../../../src/features/egress/template.ts';
import { NOTHING, renderWith, ruleSet } from '../../../templates/rules.ts';

const allowed = ruleSet('10.0.0.0/8:tcp/80', '[2001:db8::]/32:icmp');

describe('the fingerprint', () => {
  const { fingerprint } = renderWith('nftables', { allowed });

  it('is 32 hex digits, in the text, and its first eight are the generation', () => {
    const { text } = renderWith('nftables', { allowed });
    expect(fingerprint).toMatch(/^[0-9a-f]{32}$/);
    expect(text).toContain(`comment "egresstrator v1 ${fingerprint}"`);
    expect(text).toContain(`define generation = 0x${fingerprint.slice(0, 8)}\n`);
  });

  it('is the same for the same input', () => {
    expect(renderWith('nftables', { allowed }).fingerprint).toBe(fingerprint);
  });

  const changes: readonly [what: string, input: Partial<RenderInput>][] = [
    ['the rule set', { allowed: ruleSet('10.0.0.0/8:tcp/81', '[2001:db8::]/32:icmp') }],
    ['no rule set', {}],
    ['the mode', { allowed, mode: 'audit' }],
    ['name resolution', { allowed, dns: 'none' }],
  ];
  it.each(changes)('changes with %s', (_, input) => {
    expect(renderWith('nftables', input).fingerprint).not.toBe(fingerprint);
  });

  it('changes with the template', () => {
    const { source } = loadTemplate('nftables');
    const own = compileEgressTemplate('own', source.replaceAll('timeout 10m', 'timeout 2h'));
    expect(render(own, { ...NOTHING, allowed }).fingerprint).not.toBe(fingerprint);
  });

  it('does not change with what the text does not speak of', () => {
    const input = { ungranted: ruleSet('10.0.0.0/8:tcp/80'), resolvers: ['192.0.2.1'] };
    expect(renderWith('nftables', { allowed, ...input }).fingerprint).toBe(fingerprint);
    expect(renderWith('lockdown', { allowed, ...input, dns: 'none' })).toEqual(renderWith('lockdown'));
  });

  it('changes with the resolvers where the text holds them, but not with their order', () => {
    const one = renderWith('iptables', { resolvers: ['192.0.2.1', '2001:db8::1'] }).fingerprint;
    expect(renderWith('iptables').fingerprint).not.toBe(one);
    expect(renderWith('iptables', { resolvers: ['2001:db8::1', '192.0.2.1'] }).fingerprint).toBe(one);
  });
});

describe('the generation', () => {
  it.each([
    ['00000000', '0x00000003'],
    ['00000002', '0x00000005'],
    ['00000003', '0x00000003'],
    ['ffffffff', '0xdfffffff'],
  ])('of fingerprint %s… is %s, never the mark of nobody or of the outside', (start, generation) => {
    expect(identityOf(start.padEnd(32, '0')).generation).toBe(generation);
  });
});

describe('errors', () => {
  it('names the template that gets no list of what was not granted', () => {
    expect(() => renderWith('denylist', { ungranted: undefined })).toThrow(
      new TemplateError('template denylist needs the destinations that are not granted, and got none'),
    );
  });

  it('refuses a text that does not say what it is', () => {
    const own = compileEgressTemplate('own.hbs', '{{#if comment}}table inet egresstrator_egress {}{{/if}}');
    expect(() => render(own, NOTHING)).toThrow(/^template own\.hbs does not write \{\{comment\}\}/);
  });
});

describe('nothing that somebody typed gets into a text', () => {
  const nasty = [
    'x"; }\nflush ruleset\n',
    '127.0.0.1 }; drop',
    '{{comment}}',
    '$(reboot)',
    '-j ACCEPT',
    '::1%eth0',
  ];

  it.each(INCLUDED_TEMPLATES)('%s', (name) => {
    const without = renderWith(name, { allowed });
    const property = fc.property(
      fc.array(fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary' }))),
      (resolvers) => {
        expect(renderWith(name, { allowed, resolvers })).toEqual(without);
      },
    );
    fc.assert(property, { numRuns: 50 });
  });
});

it('prints 10,000 elements without taking long', () => {
  const lines = Array.from(
    { length: 10_000 },
    (_, index) => `10.${index >> 8}.${index & 255}.0/24:tcp/${1 + (index % 7)}`,
  );
  const many = ruleSet(...lines);
  const template = loadTemplate('nftables');
  const times = Array.from({ length: 10 }, () => {
    const start = performance.now();
    render(template, { ...NOTHING, allowed: many });
    return performance.now() - start;
  });
  expect(Math.min(...times)).toBeLessThan(3_000);
});
