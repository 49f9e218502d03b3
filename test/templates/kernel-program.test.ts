/**
 * The program that loads: what it says, what it leaves alone, and what it does when something is wrong.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseDenied } from '../../src/dataplane/denied.ts';
import { expectedFacts, withFacts } from '../../src/features/egress/facts.ts';
import { NO_COUNTS, NOTHING_DENIED } from '../../src/inventory/denied-record.ts';
import { helperVersion } from '../../src/sources/docker/image.ts';
import { denied, load, NO_FACTS, netns, PORT, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
});

const nft = async (...words: readonly string[]): Promise<string> =>
  (await fixture.workload.run('nft', words)).stdout;
/** Also holds a comparison with what was inspected before against it. */
const state = async (): Promise<string> => {
  const report = (await netns(fixture.workload, 'state egress')).stdout;
  const compared = await compare(inspected.listing);
  if (compared === 'unchanged') expect(inspected.state).toBe(report);
  else inspected = { listing: /^listing (\w+)$/m.exec(compared)?.[1] ?? '-', state: report };
  return report;
};
const compare = async (listing: string): Promise<string> =>
  (await netns(fixture.workload, `inspect egress ${listing}`)).stdout;
/** What was inspected last. */
let inspected = { listing: '-', state: '' };

describe.each(['nftables', 'denylist', 'lockdown', 'iptables'])('%s', (template) => {
  it('says what it loaded, and says the same when asked later', async () => {
    const { text, fingerprint } = renderWith(template);
    const facts = expectedFacts(text, NO_FACTS);
    const loaded = await load(fixture.workload, template);
    expect(loaded.split('\n')).toEqual([
      `fingerprint ${fingerprint}`,
      ...(facts === undefined ? [] : [`facts ${facts}`]),
      expect.stringMatching(/^digest [0-9a-f]{64}$/),
    ]);
    expect(await state()).toBe(loaded);
    expect(await load(fixture.workload, template)).toBe(loaded);
  });

  it('begins where nothing is loaded with what a load would leave', async () => {
    const loaded = await load(fixture.workload, template);
    await netns(fixture.workload, 'clear');
    const text = withFacts(renderWith(template).text, NO_FACTS);
    const begun = await netns(fixture.workload, 'begin egress', text);
    expect(begun).toMatchObject({ exitCode: 0, stdout: loaded.split('\n')[0] });
    expect(await state()).toBe(loaded);
    const cut = text.slice(0, text.lastIndexOf('\n# end'));
    expect(await netns(fixture.workload, 'begin egress', cut)).toMatchObject({ exitCode: 4, stdout: '' });
    expect(await state()).toBe(loaded);
  });

  it('clears what is its own, twice if asked, and says that nothing is there', async () => {
    await load(fixture.workload, template);
    for (let times = 0; times < 2; times += 1) {
      expect(await netns(fixture.workload, 'clear')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    }
    expect(await state()).toBe('');
    expect((await nft('list', 'ruleset')).toLowerCase()).not.toContain('egresstrator');
  });

  it('leaves the tables of others alone', async () => {
    await fixture.workload.run('nft', ['-f', '-'], { input: LIKE_DOCKER });
    const before = await nft('list', 'table', 'ip', 'nat');
    await load(fixture.workload, template);
    await load(fixture.workload, template);
    expect(await nft('list', 'table', 'ip', 'nat')).toBe(before);
    await netns(fixture.workload, 'clear');
    expect(await nft('list', 'table', 'ip', 'nat')).toBe(before);
    await nft('delete', 'table', 'ip', 'nat');
  });

  it('keeps what is loaded when the next text is wrong or cut short', async () => {
    const before = await load(fixture.workload, template);
    const text = withFacts(renderWith(template).text, NO_FACTS);
    const wrong = text.replaceAll('accept', 'akzept').replaceAll('ACCEPT', 'AKZEPT');
    const cut = text.slice(0, text.lastIndexOf('\n# end'));
    expect(await netns(fixture.workload, 'load egress', wrong)).toMatchObject({ exitCode: 1, stdout: '' });
    expect(await netns(fixture.workload, 'load egress', cut)).toMatchObject({ exitCode: 4, stdout: '' });
    expect(await netns(fixture.workload, 'load egress', '')).toMatchObject({ exitCode: 4, stdout: '' });
    expect(await state()).toBe(before);
  });
});

/** What Docker's resolver keeps in a container's namespace. */
const LIKE_DOCKER = `table ip nat {
  chain DOCKER_OUTPUT { ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:4053; }
  chain OUTPUT { type nat hook output priority -100; policy accept; ip daddr 127.0.0.11 jump DOCKER_OUTPUT; }
}
`;

describe('the digest', () => {
  const allowed = ruleSet('10.0.0.0/8:tcp/80', '192.0.2.7:tcp/80', '10.0.0.0/8:icmp/8', '[fd00::]/8:udp/53');

  it.each([
    'flush chain inet egresstrator_egress output',
    'insert rule inet egresstrator_egress output accept',
    'add element inet egresstrator_egress allowed4 { 192.0.2.1 . tcp . 1 }',
    'flush set inet egresstrator_egress allowed4',
    'delete element inet egresstrator_egress allowed4_exact { 192.0.2.7 . tcp . 80 }',
    'flush set inet egresstrator_egress allowed4_exact',
    'delete table netdev egresstrator_egress',
    'add table ip egresstrator_egress',
    'add chain inet egresstrator_egress output { policy accept; }',
    'delete chain netdev egresstrator_egress egress',
    'add counter inet egresstrator_egress denied_more',
    'add set inet egresstrator_egress more { type mark; }',
  ])('changes with: %s', async (command) => {
    const before = await load(fixture.workload, 'nftables', { allowed });
    expect(await state()).toBe(before);
    await nft(...command.split(' '));
    expect(await state()).not.toBe(before);
    expect(await load(fixture.workload, 'nftables', { allowed })).toBe(before);
  });

  it('does not change with traffic and destinations', async () => {
    const before = await load(fixture.workload, 'nftables', { allowed });
    await fixture.agents.workload.open('a', fixture.denied.ipv4, PORT);
    await fixture.agents.denied.open('a', fixture.workload.ipv4, PORT);
    expect((await netns(fixture.workload, 'denied egress')).stdout).toContain(fixture.denied.ipv4);
    expect(await state()).toBe(before);
    const [report, refused = ''] = (await netns(fixture.workload, 'inspect egress')).stdout.split(
      '\ndenied ',
    );
    expect(report).toBe(before);
    expect(parseDenied(refused)).toMatchObject({
      destinations: [{ address: fixture.denied.ipv4, protocol: 'tcp', port: PORT, packets: 1 }],
      addresses: [{ address: fixture.denied.ipv4, packets: 1 }],
      networks: [{ address: '10.0.0.0/8', packets: 1 }],
      counts: { packets: 1, spoofed: 0, frames: 0 },
    });
  });

  it('is told by a look with counters at zero where nothing was denied, and nothing where nothing is loaded', async () => {
    const before = await load(fixture.workload, 'nftables', { allowed });
    const [report, refused = ''] = (await netns(fixture.workload, 'inspect egress')).stdout.split(
      '\ndenied ',
    );
    expect(report).toBe(before);
    expect(parseDenied(refused)).toEqual({ ...NOTHING_DENIED, counts: NO_COUNTS });
    await load(fixture.workload, 'lockdown');
    expect((await netns(fixture.workload, 'inspect egress')).stdout).toBe(
      (await netns(fixture.workload, 'state egress')).stdout,
    );
    await netns(fixture.workload, 'clear');
    expect(await netns(fixture.workload, 'inspect egress')).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('is not computed anew while all that it is read from is the same', async () => {
    await load(fixture.workload, 'nftables', { allowed });
    const before = await state();
    await fixture.agents.denied.open('a', fixture.workload.ipv4, PORT);
    expect(await compare(inspected.listing)).toBe('unchanged');
    await fixture.agents.workload.open('a', fixture.denied.ipv4, PORT);
    expect(await compare(inspected.listing)).toContain(`${before}\ndenied [`);
    expect(await compare('-')).toContain(`${before}\ndenied [`);
  });

  it('changes when a rule comes before the jump of xtables, and the next load mends that', async () => {
    const before = await load(fixture.workload, 'iptables', { allowed });
    expect(await state()).toBe(before);
    const listing = () => fixture.workload.run('iptables-nft', ['-S', 'OUTPUT']);
    await fixture.workload.run('iptables-nft', ['-I', 'OUTPUT', '-j', 'ACCEPT']);
    expect(await state()).not.toBe(before);
    await load(fixture.workload, 'iptables', { allowed });
    expect((await listing()).stdout.split('\n')[1]).toBe('-A OUTPUT -j EGRESSTRATOR-OUT');
    await fixture.workload.run('iptables-nft', ['-F', 'OUTPUT']);
  });
});

describe.each(['nftables', 'denylist', 'lockdown'])('a device that comes after %s was loaded', (template) => {
  const link = (...words: readonly string[]) => fixture.workload.run('ip', ['link', ...words]);
  const address = (...words: readonly string[]) =>
    fixture.workload.run('ip', ['address', ...words, 'dev', 'late0']);

  it('is told by other facts and the same digest, until the next load', async () => {
    const before = await load(fixture.workload, template);
    expect(await state()).toBe(before);
    await link('add', 'late0', 'type', 'veth', 'peer', 'name', 'late1');
    const changed = await state();
    expect(changed).toBe(before.replace(/^facts .*\n|(?=^digest)/m, 'facts 0x00000000\n'));
    expect(await state()).toBe(changed);
    const loaded = await load(fixture.workload, template);
    expect(loaded).toMatch(before.split('\ndigest')[0] ?? '');
    expect(await state()).toBe(loaded);
    await link('delete', 'late0');
    expect(await state()).not.toBe(loaded);
  });

  it('is told as well by an address that it gets, but for one of its own making', async () => {
    await link('add', 'late0', 'type', 'veth', 'peer', 'name', 'late1');
    const before = await load(fixture.workload, template);
    await address('add', 'fe80::7/64', 'nodad');
    expect(await state()).toBe(before);
    await address('add', 'fd00:e9:77::1/64', 'nodad');
    expect(await state()).toMatch(/^facts 0x00000000$/m);
    await link('delete', 'late0');
  });
});

describe('the other kind of text', () => {
  it.each([
    ['nftables', 'iptables'],
    ['iptables', 'nftables'],
  ])('%s gives way to %s', async (first, second) => {
    await load(fixture.workload, second);
    const alone = await state();
    await netns(fixture.workload, 'clear');
    await load(fixture.workload, first);
    expect(await load(fixture.workload, second)).toBe(alone);
  });
});

describe('usage', () => {
  it.each([
    '',
    'unknown',
    'load',
    'load Egress',
    'load egress more',
    'state egress -',
    'add egress',
    'add egress a-b',
    'state',
    'clear a b',
    'inspect egress a;b',
  ])('%s ends with exit code 2', async (command) => {
    const { exitCode, stderr } = await netns(fixture.workload, command);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr:
        'usage: netns load|reload|begin|state|denied|inspect <owner>, load|reload|inspect <owner> <listing>, add <owner> <set>, clear [<owner>], list, boot <folder>, routes, reroute, place, firewall, version',
    });
  });

  it('tells its version', async () => {
    expect((await netns(fixture.workload, 'version')).stdout).toBe(`netns ${helperVersion}`);
  });

  it('nothing is denied where nothing is loaded', async () => {
    expect(await denied(fixture.workload)).toEqual(NOTHING_DENIED);
  });

  it('does not guess at device names that it cannot pass on', async () => {
    const { run } = fixture.workload;
    await run('ip', ['link', 'add', 'odd"name', 'type', 'veth', 'peer', 'name', 'odd']);
    const text = withFacts(renderWith('nftables').text, NO_FACTS);
    const { exitCode, stderr } = await netns(fixture.workload, 'load egress', text);
    await run('ip', ['link', 'delete', 'odd']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining(`'odd"name'`) });
    expect(await state()).toBe('');
  });
});

it('loads and describes 100,000 elements', async () => {
  const lines = Array.from(
    { length: 100_000 },
    (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:tcp/${80 + (index % 2)}`,
  );
  expect(await load(fixture.workload, 'nftables', { allowed: ruleSet(...lines) })).toMatch(/^fingerprint/);
});
