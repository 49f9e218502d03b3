/**
 * Rules of others in a namespace, above all those that 0.2 left: they refuse what is granted, they are told of,
 * and they are removed as docs/migrating.md says, with what is ours in place.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { load, netns, PORT, useFixture } from './fixture.ts';
import { ruleSet } from './rules.ts';

const OLD_RULES = fileURLToPath(new URL('../support/rules-of-0.2.sh', import.meta.url));

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
  await fixture.workload.run('nft', ['flush', 'ruleset']);
  await fixture.workload.run('iptables-legacy', ['-F']);
});

const runOldRules = (...words: readonly string[]) => fixture.workload.run('sh', [OLD_RULES, ...words]);
const state = async () => (await netns(fixture.workload, 'state egress')).stdout;
const connect = (place: { readonly ipv4: string }) => fixture.agents.workload.open('m', place.ipv4, PORT);
const allowed = () => ruleSet(`${fixture.granted.ipv4}:tcp/${PORT}`);

describe.each(['nft', 'legacy'])('what 0.2 left, by iptables-%s', (kind) => {
  it('refuses what is granted later until it is removed, and what is ours stays in force all the time', async () => {
    await runOldRules(kind, `${fixture.granted.ipv4}:${PORT}`, `${fixture.denied.ipv4}:${PORT}`);
    expect(await connect(fixture.granted)).not.toBe('connected');
    const loaded = await load(fixture.workload, 'nftables', { allowed: allowed() });
    expect(loaded).toMatch(/\nforeign yes$/);
    expect(await connect(fixture.granted)).not.toBe('connected');
    expect(await connect(fixture.denied)).not.toBe('connected');
    await runOldRules(kind, 'clear');
    expect(await state()).toBe(loaded.replace(/\nforeign yes$/, ''));
    expect(await connect(fixture.granted)).toBe('connected');
    expect(await connect(fixture.denied)).not.toBe('connected');
  });

  it.each(['nftables', 'denylist', 'lockdown', 'iptables'])(
    'is told of beside the template %s',
    async (template) => {
      const before = await load(fixture.workload, template);
      expect(before).not.toContain('foreign');
      await netns(fixture.workload, 'clear');
      await runOldRules(kind, `${fixture.denied.ipv4}:${PORT}`);
      expect(await load(fixture.workload, template)).toContain('foreign yes');
    },
  );

  it('is gone with the rules of the template iptables if it is removed as 0.2 did', async () => {
    await load(fixture.workload, 'iptables', { allowed: allowed() });
    expect(await connect(fixture.denied)).not.toBe('connected');
    await runOldRules('nft', 'clear');
    expect(await connect(fixture.denied)).toBe('connected');
  });
});

test('going back: what is ours is cleared, and what 0.2 left is as it was', async () => {
  await runOldRules('nft', `${fixture.denied.ipv4}:${PORT}`);
  await load(fixture.workload, 'nftables');
  expect(await connect(fixture.granted)).not.toBe('connected');
  await netns(fixture.workload, 'clear');
  expect(await connect(fixture.granted)).toBe('connected');
  expect(await connect(fixture.denied)).not.toBe('connected');
});

/** A table of the family inet with one chain of these lines. */
const chainOf = (kind: string, ...lines: readonly string[]): string =>
  ['table inet other {', 'chain other {', `type ${kind} hook output priority 0`, ...lines, '}', '}'].join(
    '\n',
  );

test.each([
  [
    'that translates, as Docker has one',
    chainOf('nat', 'ip daddr 127.0.0.11 udp dport 53 dnat ip to 127.0.0.11:4053'),
  ],
  ['that counts and accepts', chainOf('filter', 'policy accept', 'ip daddr 192.0.2.1 counter accept')],
])('a chain %s is not told of', async (_, text) => {
  await fixture.workload.run('nft', ['-f', '-'], { input: text });
  expect(await load(fixture.workload, 'nftables')).not.toContain('foreign');
});

test.each([
  ['a rule', chainOf('filter', 'ip daddr 192.0.2.1 drop')],
  ['a policy', chainOf('filter', 'policy drop', 'accept')],
  ['a rule with a comment', chainOf('filter', 'tcp dport 80 reject with tcp reset comment "x"')],
  ['a map', chainOf('filter', 'ip daddr vmap { 192.0.2.1 : drop, 192.0.2.2 : accept }')],
])('%s that refuses is told of', async (_, text) => {
  await fixture.workload.run('nft', ['-f', '-'], { input: text });
  expect(await load(fixture.workload, 'nftables')).toContain('foreign yes');
});
