/**
 * Rules of others in a namespace, above all those that 0.2 left: they refuse what is granted, they are told of,
 * and they are removed as docs/migrating.md says, with what is ours in place.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { ruleSet } from './rules.ts';
import { load, netns, PORT, useWorld } from './world.ts';

const FORMER = fileURLToPath(new URL('../support/former-rules.sh', import.meta.url));

const world = await useWorld();

beforeEach(async () => {
  await netns(world.workload, 'clear');
  await world.workload.run('nft', ['flush', 'ruleset']);
  await world.workload.run('iptables-legacy', ['-F']);
});

const former = (...words: readonly string[]) => world.workload.run('sh', [FORMER, ...words]);
const state = async () => (await netns(world.workload, 'state egress')).stdout;
const connect = (place: { readonly ipv4: string }) => world.agents.workload.open('m', place.ipv4, PORT);
const allowed = () => ruleSet(`${world.granted.ipv4}:tcp/${PORT}`);

describe.each(['nft', 'legacy'])('what 0.2 left, by iptables-%s', (kind) => {
  it('refuses what is granted later until it is removed, and what is ours stays in force all the time', async () => {
    await former(kind, `${world.granted.ipv4}:${PORT}`, `${world.denied.ipv4}:${PORT}`);
    expect(await connect(world.granted)).not.toBe('connected');
    const said = await load(world.workload, 'nftables', { allowed: allowed() });
    expect(said).toMatch(/\nforeign yes$/);
    expect(await connect(world.granted)).not.toBe('connected');
    expect(await connect(world.denied)).not.toBe('connected');
    await former(kind, 'clear');
    expect(await state()).toBe(said.replace(/\nforeign yes$/, ''));
    expect(await connect(world.granted)).toBe('connected');
    expect(await connect(world.denied)).not.toBe('connected');
  });

  it.each(['nftables', 'denylist', 'lockdown', 'iptables'])(
    'is told of beside the template %s',
    async (template) => {
      const before = await load(world.workload, template);
      expect(before).not.toContain('foreign');
      await netns(world.workload, 'clear');
      await former(kind, `${world.denied.ipv4}:${PORT}`);
      expect(await load(world.workload, template)).toContain('foreign yes');
    },
  );

  it('is gone with the rules of the template iptables if it is removed as 0.2 did', async () => {
    await load(world.workload, 'iptables', { allowed: allowed() });
    expect(await connect(world.denied)).not.toBe('connected');
    await former('nft', 'clear');
    expect(await connect(world.denied)).toBe('connected');
  });
});

test('going back: what is ours is cleared, and what 0.2 left is as it was', async () => {
  await former('nft', `${world.denied.ipv4}:${PORT}`);
  await load(world.workload, 'nftables');
  expect(await connect(world.granted)).not.toBe('connected');
  await netns(world.workload, 'clear');
  expect(await connect(world.granted)).toBe('connected');
  expect(await connect(world.denied)).not.toBe('connected');
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
  await world.workload.run('nft', ['-f', '-'], { input: text });
  expect(await load(world.workload, 'nftables')).not.toContain('foreign');
});

test.each([
  ['a rule', chainOf('filter', 'ip daddr 192.0.2.1 drop')],
  ['a policy', chainOf('filter', 'policy drop', 'accept')],
  ['a rule with a comment', chainOf('filter', 'tcp dport 80 reject with tcp reset comment "x"')],
  ['a map', chainOf('filter', 'ip daddr vmap { 192.0.2.1 : drop, 192.0.2.2 : accept }')],
])('%s that refuses is told of', async (_, text) => {
  await world.workload.run('nft', ['-f', '-'], { input: text });
  expect(await load(world.workload, 'nftables')).toContain('foreign yes');
});
