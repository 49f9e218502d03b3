/**
 * The xtables side of the program: the old kind for kernels without nf_tables, and what becomes of the
 * other family when one does not load.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import { withFacts } from '../../src/features/egress/facts.ts';
import { load, NO_FACTS, netns, PORT, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

const PROGRAM = fileURLToPath(new URL('../../dataplane/netns', import.meta.url));
const fixture = await useFixture();
/** A folder whose `iptables-nft` says what a kernel without nf_tables says. */
let withoutNft: string;

beforeAll(async () => {
  withoutNft = await mkdtemp(join(tmpdir(), 'without-nft-'));
  for (const name of ['iptables-nft', 'ip6tables-nft']) {
    await writeFile(
      join(withoutNft, name),
      '#!/bin/sh\necho "Could not fetch rule set generation id" >&2\nexit 4\n',
    );
    await chmod(join(withoutNft, name), 0o755);
  }
});
afterAll(async () => {
  await rm(withoutNft, { recursive: true });
});
beforeEach(async () => {
  await netns(fixture.workload, 'clear');
});

const legacy = (command: string, input?: string) =>
  fixture.workload.run(
    'env',
    [`PATH=${withoutNft}:${process.env.PATH}`, 'sh', PROGRAM, ...command.split(' ')],
    {
      reject: false,
      ...(input === undefined ? {} : { input }),
    },
  );

const text = () =>
  withFacts(
    renderWith('iptables', {
      allowed: ruleSet(`${fixture.granted.ipv4}:tcp/${PORT}`, `[${fixture.granted.ipv6}]:tcp/${PORT}`),
    }).text,
    NO_FACTS,
  );

describe('the old kind', () => {
  it('loads, enforces, says what is loaded, and is cleared without a trace', async () => {
    const loaded = await legacy('load egress', text());
    expect(loaded).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await legacy('state egress')).stdout).toBe(loaded.stdout);
    const { workload } = fixture.agents;
    for (const family of ['ipv4', 'ipv6'] as const) {
      expect(await workload.open('a', fixture.granted[family], PORT)).toBe('connected');
      expect(await workload.open('b', fixture.denied[family], PORT)).toBe('ECONNREFUSED');
    }
    expect(await legacy('clear')).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await legacy('state egress')).stdout).toBe('');
    expect(await workload.open('c', fixture.denied.ipv4, PORT)).toBe('connected');
  });

  it('gives way to nft', async () => {
    await legacy('load egress', text());
    await load(fixture.workload, 'nftables');
    const { stdout } = await fixture.workload.run('iptables-legacy', ['-S']);
    expect(stdout).not.toContain('EGRESSTRATOR');
  });
});

describe('one family that does not load', () => {
  const broken = (family: 4 | 6) =>
    text().replace('COMMIT', `-A EGRESSTRATOR-OUT -${family} -p none-such\nCOMMIT`);

  it.each([4, 6] as const)('IPv%s: what was loaded before still is, in both', async (family) => {
    const before = await load(fixture.workload, 'iptables');
    const { exitCode, stderr } = await netns(fixture.workload, 'load egress', broken(family));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('none-such');
    expect((await netns(fixture.workload, 'state egress')).stdout).toBe(before);
  });
});

it('works the same in the shell of busybox', async () => {
  await ensureCommands({ busybox: 'busybox-static' });
  const busybox = (command: string, input?: string) =>
    fixture.workload.run(
      'busybox',
      ['sh', PROGRAM, ...command.split(' ')],
      input === undefined ? {} : { input },
    );
  for (const template of ['nftables', 'iptables']) {
    const expected = await load(fixture.workload, template);
    expect((await busybox('state egress')).stdout).toBe(expected);
    await busybox('clear');
    const loaded = await busybox('load egress', withFacts(renderWith(template).text, NO_FACTS));
    expect(loaded.stdout).toBe(expected);
    const asDash = await netns(fixture.workload, 'inspect egress');
    expect((await busybox('inspect egress')).stdout).toBe(asDash.stdout);
    expect(asDash.stdout).toContain(expected);
  }
});

it('begins with iptables as it loads', async () => {
  const expected = await load(fixture.workload, 'iptables');
  await netns(fixture.workload, 'clear');
  const { stdout } = await netns(
    fixture.workload,
    'begin egress',
    withFacts(renderWith('iptables').text, NO_FACTS),
  );
  expect(stdout).toBe(expected.split('\n')[0]);
  expect((await netns(fixture.workload, 'state egress')).stdout).toBe(expected);
});
