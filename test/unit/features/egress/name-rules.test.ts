/** Whether rules by name count in a namespace, and its DNS. */
import { expect, it } from 'vitest';
import { loadTemplate } from '../../../../src/features/egress/included-templates.ts';
import { dnsOf, nameProblems } from '../../../../src/features/egress/name-rules.ts';
import type { DnsPolicy } from '../../../../src/inventory/workload.ts';
import { parseAcl } from '../../../../src/policy/acl.ts';
import { compile } from '../../../../src/policy/compile.ts';

const policyOf = (text: string) => compile(['key'], parseAcl(new Map([['key', text]])), new Map(), []);
const WITH = policyOf('api.example.com:tcp/443\n10.0.0.1:tcp/1');
const WITHOUT = policyOf('10.0.0.1:tcp/1');

const support = (template = 'nftables', unavailable?: string) => ({
  ...{ template: loadTemplate(template), unavailable },
});
const settings = (dns: DnsPolicy, keepsResolvers = false) => ({
  dns,
  ...(keepsResolvers && ({ keepsResolvers: true } as const)),
});

it.each([
  // What was chosen, whether a key has a rule by name, what it is with nftables, with iptables, and without a proxy.
  ['resolvers', false, true, 'names', 'resolvers', 'resolvers'],
  ['resolvers', false, false, 'resolvers', 'resolvers', 'resolvers'],
  ['resolvers', true, true, 'resolvers', 'resolvers', 'resolvers'],
  ['names', false, true, 'names', 'none', 'none'],
  ['names', false, false, 'names', 'none', 'none'],
  ['none', false, true, 'none', 'none', 'none'],
] as const)('%s, chosen by a runner: %s, with names: %s', (dns, isChosen, hasNames, ...expected) => {
  const policy = hasNames ? WITH : WITHOUT;
  const all = [support(), support('iptables'), support('nftables', 'no')];
  expect(all.map((one) => dnsOf(settings(dns, isChosen), policy, one))).toEqual(expected);
});

it('says of each rule by name that grants nothing why', () => {
  const reasons = (...args: Parameters<typeof nameProblems>) =>
    nameProblems(...args).map(({ line, text, reason }) => [line ?? text, reason]);
  expect(reasons(settings('resolvers'), WITH, support())).toEqual([]);
  expect(reasons(settings('resolvers', true), WITH, support())).toEqual([
    [
      1,
      'rules by name need EGRESSTRATOR_DNS=names, and the container has resolvers, so it grants nothing; write its addresses',
    ],
  ]);
  expect(reasons(settings('names'), WITH, support('iptables'))).toEqual([
    [1, 'the template iptables has no rules by name, so it grants nothing; write its addresses'],
    [
      'EGRESSTRATOR_DNS=names',
      'the template iptables has no rules by name, so there is no DNS; choose resolvers instead',
    ],
  ]);
  expect(reasons(settings('resolvers'), WITH, support('nftables', 'no proxy'))).toEqual([
    [1, 'no proxy, so it grants nothing; write its addresses'],
  ]);
  expect(reasons(settings('none'), WITHOUT, support('denylist'))).toEqual([]);
});
