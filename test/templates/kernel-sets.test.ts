/**
 * Sets of exact destinations and sets of intervals, alone and together: what real packets they decide about, and
 * that they load whatever they hold.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { loadTemplate } from '../../src/features/egress/included-templates.ts';
import { compileEgressTemplate, type EgressTemplate } from '../../src/features/egress/template.ts';
import type { RuleSet } from '../../src/policy/rule-set.ts';
import { load, netns, PORT, packet, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
});

/** Of `granted` and `denied`, which are neighbours: H is the first, N the second, B the prefix of both. */
const FAMILIES = {
  ipv4: { H: '10.199.0.2', N: '10.199.0.3', B: '10.199.0.2/31', echo: '8' },
  ipv6: { H: '[fd00:e9:99::2]', N: '[fd00:e9:99::3]', B: '[fd00:e9:99::2]/127', echo: '128' },
} as const;

type Family = keyof typeof FAMILIES;

/** `H:icmp/echo` in both families. */
const both = (...lines: readonly string[]): RuleSet =>
  ruleSet(
    ...Object.values(FAMILIES).flatMap(({ echo, ...names }) =>
      lines.map((line) =>
        line
          .replace(/^[HNB]/, (name) => (name === 'H' ? names.H : name === 'N' ? names.N : names.B))
          .replace('echo', echo),
      ),
    ),
  );

const stack = (...sets: readonly RuleSet[]): RuleSet => ({ layers: sets.flatMap(({ layers }) => layers) });

interface Case {
  readonly allowed: RuleSet;
  /** `H tcp` */
  readonly passes: readonly string[];
  /** The sets of each family that there are. */
  readonly sets: readonly string[];
}

const ALL = ['H tcp', 'H udp', 'H ping', 'N tcp', 'N udp', 'N ping'] as const;

const CASES: Readonly<Record<string, Case>> = {
  'one port of TCP': { allowed: both(`H:tcp/${PORT}`), passes: ['H tcp'], sets: ['_exact'] },
  'one port of UDP': { allowed: both(`H:udp/${PORT}`), passes: ['H udp'], sets: ['_exact'] },
  'one type of ICMP': { allowed: both('H:icmp/echo'), passes: ['H ping'], sets: ['icmp_exact'] },
  'ports of TCP': { allowed: both('H:tcp/8000-8100'), passes: ['H tcp'], sets: [''] },
  'ports of UDP': { allowed: both('H:udp'), passes: ['H udp'], sets: [''] },
  'all types of ICMP': { allowed: both('H:icmp'), passes: ['H ping'], sets: ['icmp'] },
  'all of one host': {
    allowed: both('H:tcp', 'H:udp', 'H:icmp'),
    passes: ['H tcp', 'H udp', 'H ping'],
    sets: ['', 'icmp'],
  },
  'one port of a prefix': { allowed: both(`B:tcp/${PORT}`), passes: ['H tcp', 'N tcp'], sets: [''] },
  'both kinds of sets': {
    allowed: both(`H:tcp/${PORT}`, 'B:udp/8000-9000', 'N:icmp/echo', 'H:icmp/13-14'),
    passes: ['H tcp', 'H udp', 'N udp', 'N ping'],
    sets: ['_exact', '', 'icmp_exact', 'icmp'],
  },
  'other hosts and ports': {
    allowed: both(`H:tcp/${PORT + 1}`, 'N:udp/53', 'N:icmp/13', `B:tcp/1-${PORT - 1}`),
    passes: [],
    sets: ['_exact', '', 'icmp_exact'],
  },
  'exact ones that others cover': {
    allowed: stack(both(`H:tcp/${PORT}`, 'N:icmp/echo'), both('B:tcp', 'B:icmp'), both(`H:tcp/${PORT}`)),
    passes: ['H tcp', 'N tcp', 'H ping', 'N ping'],
    sets: ['_exact', '_1', 'icmp_exact', 'icmp_1'],
  },
};

/** As it may have been written before there were two kinds of sets. */
const beforeTwoKinds = (): EgressTemplate => {
  const { source } = loadTemplate('nftables');
  const asked = '{{#if exact}}size {{size}}{{else}}flags interval{{/if}}';
  expect(source).toContain(asked);
  return compileEgressTemplate('one kind of sets', source.replaceAll(asked, 'flags interval'));
};

let port = 20_000;

/** What passes of all, as `H tcp`; anything but a plain refusal of the rest is an error. */
async function passing(family: Family): Promise<readonly string[]> {
  const probes = ALL.map(async (name) => {
    const [host = '', kind] = name.split(' ');
    const address = (host === 'H' ? fixture.granted : fixture.denied)[family];
    const { workload } = fixture.agents;
    port += 1;
    if (kind === 'tcp') return [name, await workload.open(name, address, PORT)];
    if (kind === 'udp') return [name, await workload.ask(address, PORT, port)];
    return [name, await packet(fixture.workload, 'ping', address)];
  });
  const outcomes = await Promise.all(probes);
  const refused = ['ECONNREFUSED', 'EPERM', 'Operation not permitted'];
  const passed = ['connected', 'hello', 'answered'];
  expect(outcomes.filter(([, outcome = '']) => ![...refused, ...passed].includes(outcome))).toEqual([]);
  return outcomes.flatMap(([name = '', outcome = '']) => (passed.includes(outcome) ? name : []));
}

/** The names of the sets whose name starts with `start`, without it, and with `icmp` in front of those for ICMP. */
const setsIn = (text: string, start: string): readonly string[] =>
  [...text.matchAll(new RegExp(`^  set ${start}(_icmp)?[46](\\w*) `, 'gm'))].map(
    ([, icmp, suffix = '']) => `${icmp === undefined ? '' : 'icmp'}${suffix}`,
  );

describe.each(Object.entries(CASES))('%s', (_, { allowed, passes, sets }) => {
  it('nftables: passes, and nothing else', async () => {
    const { text } = renderWith('nftables', { allowed });
    expect(new Set(setsIn(text, 'allowed'))).toEqual(new Set(sets));
    await load(fixture.workload, 'nftables', { allowed });
    for (const family of ['ipv4', 'ipv6'] as const) expect(await passing(family)).toEqual(sorted(passes));
  });

  it('denylist: is closed, and nothing else', async () => {
    const { text } = renderWith('denylist', { ungranted: allowed });
    expect(new Set(setsIn(text, 'closed'))).toEqual(new Set(sets));
    await load(fixture.workload, 'denylist', { ungranted: allowed });
    const open = ALL.filter((name) => !passes.includes(name));
    for (const family of ['ipv4', 'ipv6'] as const) expect(await passing(family)).toEqual(open);
  });

  it('a template that knows one kind of sets: passes, and nothing else', async () => {
    await load(fixture.workload, beforeTwoKinds(), { allowed });
    for (const family of ['ipv4', 'ipv6'] as const) expect(await passing(family)).toEqual(sorted(passes));
  });
});

const sorted = (names: readonly string[]): readonly string[] => ALL.filter((name) => names.includes(name));

it('is listed alike after each load, in whatever order the kernel keeps a hash', async () => {
  const lines = Array.from(
    { length: 500 },
    (_, index) => `192.0.2.${index % 5}:tcp/${1 + ((index * 7919) % 60_000)}`,
  );
  const allowed = ruleSet(...lines, ...lines.map((line) => line.replace(/^[\d.]+/, '[2001:db8::7]')));
  const state = await load(fixture.workload, 'nftables', { allowed });
  for (let again = 0; again < 3; again += 1) {
    await netns(fixture.workload, 'clear');
    expect(await load(fixture.workload, 'nftables', { allowed })).toBe(state);
  }
});
