/**
 * Rulesets of several owners in one namespace: a command for one changes nothing of another and nothing of others,
 * at whatever moment it comes or ends, and reads no more of a large namespace than it needs.
 */
import { beforeEach, describe, expect, it, test } from 'vitest';
import { withFacts } from '../../src/features/egress/facts.ts';
import { destinations, load, NO_FACTS, netns, PORT, useFixture } from './fixture.ts';
import { renderWith, ruleSet } from './rules.ts';

const fixture = await useFixture();

beforeEach(async () => {
  await netns(fixture.workload, 'clear');
  await fixture.workload.run('nft', ['flush', 'ruleset']);
});

const nft = async (...words: readonly string[]): Promise<string> =>
  (await fixture.workload.run('nft', words)).stdout;
const nftFile = (input: string) => fixture.workload.run('nft', ['-f', '-'], { input });
const state = async (owner: string): Promise<string> =>
  (await netns(fixture.workload, `state ${owner}`)).stdout;
const list = async (): Promise<string> => (await netns(fixture.workload, 'list')).stdout;
const connect = (to: { readonly ipv4: string }) => fixture.agents.workload.open('o', to.ipv4, PORT);
const allowed = () => ruleSet(`${fixture.granted.ipv4}:tcp/${PORT}`);
const egressText = (...lines: readonly string[]): string =>
  withFacts(renderWith('nftables', { allowed: ruleSet(...lines) }).text, NO_FACTS);

/** A ruleset that refuses one address unless it is in the volatile set `names`. */
const textOf = (owner: string, refused = '192.0.2.99', fingerprint = 'abcd'): string => `
table inet egresstrator_${owner} {}
delete table inet egresstrator_${owner}
table inet egresstrator_${owner} {
  comment "egresstrator v1 ${fingerprint}"
  set names { type ipv4_addr; flags timeout
  }
  set ports { type ipv4_addr . inet_proto . inet_service; flags dynamic
    size 8
  }
  set fixed { type ipv4_addr; elements = { 192.0.2.1 }
  }
  counter seen {}
  chain output {
    type filter hook output priority 10; policy accept;
    counter name seen
    ip daddr @names accept
    ip daddr ${refused} reject
  }
}
# end`;

async function loadAs(owner: string, text = textOf(owner)): Promise<string> {
  const { exitCode, stdout, stderr } = await netns(fixture.workload, `load ${owner}`, text);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(await state(owner)).toBe(stdout);
  return stdout;
}

const FOREIGN = `table inet foreign {
  set some { type ipv4_addr; elements = { 192.0.2.3 }
  }
  counter passed {
  }
  chain output { type filter hook output priority 5; policy accept; counter name passed; }
}
`;

describe('what an owner loads', () => {
  it('leaves the rules, counters and sets of another owner alone', async () => {
    const egress = await load(fixture.workload, 'nftables', { allowed: allowed() });
    expect(await connect(fixture.denied)).toBe('ECONNREFUSED');
    const denied = await destinations(fixture.workload);
    const host = await loadAs('host');
    await netns(fixture.workload, 'add host names', '192.0.2.7 timeout 1h');
    await connect(fixture.granted);
    const before = await nft('list', 'table', 'inet', 'egresstrator_host');
    expect(before).toContain('192.0.2.7 timeout 1h');
    expect(seenIn(before)).toBeGreaterThan(0);
    expect(await load(fixture.workload, 'nftables', { allowed: allowed() })).toBe(egress);
    const after = await nft('list', 'table', 'inet', 'egresstrator_host');
    expect(lasting(after)).toBe(lasting(before));
    expect(seenIn(after)).toBeGreaterThanOrEqual(seenIn(before));
    await connect(fixture.denied);
    await loadAs('host');
    await loadAs('nat');
    expect(await destinations(fixture.workload)).toEqual(denied);
    expect(await state('egress')).toBe(egress);
    expect(await state('host')).toBe(host);
  });

  it('leaves the tables of others alone, and so does what it adds and clears', async () => {
    await nftFile(FOREIGN);
    const before = lasting(await nft('list', 'table', 'inet', 'foreign'));
    await load(fixture.workload, 'nftables');
    await loadAs('host');
    await netns(fixture.workload, 'add host names', '192.0.2.7');
    await netns(fixture.workload, 'clear host');
    await netns(fixture.workload, 'clear');
    expect(lasting(await nft('list', 'table', 'inet', 'foreign'))).toBe(before);
    expect(await nft('list', 'tables')).toBe('table inet foreign');
  });

  it('is no rule of others to egress', async () => {
    await loadAs('host');
    expect(await load(fixture.workload, 'nftables')).not.toContain('foreign');
  });

  it('says the same however many devices come, where the text does not name them', async () => {
    const before = await loadAs('host');
    await fixture.workload.run('ip', ['link', 'add', 'late0', 'type', 'veth', 'peer', 'name', 'late1']);
    expect(await state('host')).toBe(before);
    await fixture.workload.run('ip', ['link', 'delete', 'late0']);
  });
});

/** What does not change from one moment to the next. */
const lasting = (listing: string): string => listing.replace(/ expires \w+|packets .*/g, '');
const seenIn = (listing: string): number => Number(/counter seen \{\s+packets (\d+)/.exec(listing)?.[1]);

describe('list and clear', () => {
  it('name and remove one owner, or all', async () => {
    expect(await list()).toBe('');
    await load(fixture.workload, 'iptables');
    await loadAs('nat');
    await loadAs('host');
    expect(await list()).toBe('egress\nhost\nnat');
    await netns(fixture.workload, 'clear host');
    expect(await list()).toBe('egress\nnat');
    await netns(fixture.workload, 'clear egress');
    expect(await list()).toBe('nat');
    expect(await state('nat')).toContain('fingerprint abcd');
    await load(fixture.workload, 'nftables');
    await loadAs('host');
    expect(await netns(fixture.workload, 'clear')).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await list()).toBe('');
    expect(await nft('list', 'ruleset')).not.toContain('egresstrator');
  });
});

describe('a text', () => {
  it.each([
    ['another owner’s', 'load host', textOf('nat')],
    [
      'an earlier version’s',
      'load egress',
      textOf('egress').replaceAll('egresstrator_egress', 'egresstrator'),
    ],
    [
      'an earlier version’s',
      'begin egress',
      textOf('egress').replaceAll('egresstrator_egress', 'egresstrator'),
    ],
  ])('of %s is not loaded by %s', async (_, command, text) => {
    await load(fixture.workload, 'nftables');
    const before = lasting(await nft('list', 'ruleset'));
    const { exitCode, stderr } = await netns(fixture.workload, command, text);
    const owner = command.split(' ')[1];
    expect(exitCode).toBe(2);
    expect(stderr).toBe(`netns: the text has no table named egresstrator_${owner}`);
    expect(lasting(await nft('list', 'ruleset'))).toBe(before);
  });

  it('for xtables is loaded for egress alone', async () => {
    const text = withFacts(renderWith('iptables').text, NO_FACTS);
    expect(await netns(fixture.workload, 'load host', text)).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await list()).toBe('');
  });

  it('begins with what a load would leave', async () => {
    const before = await loadAs('host');
    await netns(fixture.workload, 'clear');
    const begun = await netns(fixture.workload, 'begin host', textOf('host'));
    expect(begun).toMatchObject({ exitCode: 0, stdout: 'fingerprint abcd' });
    expect(await state('host')).toBe(before);
  });
});

describe('what is added to a volatile set', () => {
  it('is in force at once, until its time is over, and no part of the digest', async () => {
    const before = await loadAs('host', textOf('host', fixture.denied.ipv4));
    expect(await connect(fixture.denied)).toBe('ECONNREFUSED');
    const added = await netns(
      fixture.workload,
      'add host names',
      `${fixture.denied.ipv4} timeout 2s\n192.0.2.8 timeout 1h expires 30m\n192.0.2.9\n`,
    );
    expect(added).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await connect(fixture.denied)).toBe('connected');
    expect(await state('host')).toBe(before);
    expect(await nft('list', 'set', 'inet', 'egresstrator_host', 'names')).toMatch(
      /192\.0\.2\.8 timeout 1h expires 29m/,
    );
    await expect.poll(() => connect(fixture.denied), { timeout: 20_000 }).toBe('ECONNREFUSED');
    expect(await state('host')).toBe(before);
  });

  it('may have several columns, and stays when more comes', async () => {
    const before = await loadAs('host');
    const lines = ['192.0.2.7 . tcp . 443', '192.0.2.7 . 17 . 53', '192.0.2.8 . sctp . 1'];
    for (const line of lines) {
      expect(await netns(fixture.workload, 'add host ports', line)).toMatchObject({ exitCode: 0 });
    }
    const listed = await nft('-n', 'list', 'set', 'inet', 'egresstrator_host', 'ports');
    for (const element of ['192.0.2.7 . 6 . 443', '192.0.2.7 . 17 . 53', '192.0.2.8 . 132 . 1'])
      expect(listed).toContain(element);
    expect(await state('host')).toBe(before);
  });

  it.each([
    ['of a fixed set', 'fixed', '192.0.2.7', 'the set fixed of host is not volatile'],
    ['of a set that is not there', 'other', '192.0.2.7', 'host has no set other here'],
    ['that is empty', 'names', '', 'there is no element'],
    ['that ends the list', 'names', '192.0.2.7 }; flush ruleset; #', 'a line is not an element'],
    ['that is a name', 'names', 'localhost', 'a line is not an element'],
    ['that is nearly a number', 'names', '192.0.2.256', 'a line is not an element'],
    ['that is a variable', 'names', '$interfaces', 'a line is not an element'],
    ['among others', 'names', '192.0.2.7\n192.0.2.8, 192.0.2.9\n192.0.2.10', 'a line is not an element'],
    ['with an empty line', 'names', '192.0.2.7\n\n192.0.2.8', 'a line is not an element'],
  ])('is nothing for an element %s', async (_, set, input, message) => {
    await loadAs('host');
    const before = lasting(await nft('list', 'ruleset'));
    const { exitCode, stderr } = await netns(fixture.workload, `add host ${set}`, input);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(lasting(await nft('list', 'ruleset'))).toBe(before);
  });

  it('is all or nothing', async () => {
    await loadAs('host');
    const elements = Array.from({ length: 9 }, (_, index) => `192.0.2.${index} . tcp . 80`).join('\n');
    const { exitCode, stderr } = await netns(fixture.workload, 'add host ports', elements);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('did not add') });
    expect(await nft('list', 'set', 'inet', 'egresstrator_host', 'ports')).not.toContain('192.0.2.');
  });

  it('is added to sets of the default template too, whose declaration counts', async () => {
    const before = await load(fixture.workload, 'nftables');
    await netns(fixture.workload, 'add egress denied4', '192.0.2.7 . tcp . 80');
    expect(await state('egress')).toBe(before);
    await nft('add', 'set', 'inet', 'egresstrator_egress', 'denied5', '{ type ipv4_addr; flags dynamic; }');
    expect(await state('egress')).not.toBe(before);
  });
});

/** As an earlier version of egresstrator loaded it. */
async function loadFormer(text: string): Promise<void> {
  const earlier = text.replaceAll('egresstrator_egress', 'egresstrator');
  const variables = ['interfaces={ lo, eth0 }', 'guarded={ lo }', 'onlink6={ ::1, fd00::/8 }', 'settled=1'];
  const words = [...variables.flatMap((variable) => ['-D', variable]), '-f', '-'];
  await fixture.workload.run('nft', words, { input: earlier });
}

describe('what an earlier version loaded', () => {
  it('is told of as egress, and cleared as that', async () => {
    await loadFormer(egressText());
    await connect(fixture.denied);
    expect(await list()).toBe('egress');
    expect(await state('egress')).toMatch(/^fingerprint [0-9a-f]{32}\nfacts 0x\w+\ndigest \w+$/);
    expect(await destinations(fixture.workload)).toEqual([`${fixture.denied.ipv4} tcp ${PORT}: 1`]);
    await netns(fixture.workload, 'clear egress');
    expect(await nft('list', 'ruleset')).toBe('');
  });

  it('gives way in one transaction, with what it had denied told', async () => {
    await loadFormer(egressText());
    await connect(fixture.denied);
    const { changes, printed } = await monitored('reload egress', egressText('192.0.2.1:tcp/80'));
    expect(printed).toContain('\ndenied ');
    expect(printed).toContain(fixture.denied.ipv4);
    const replaced = changes.filter((each) => each.includes('delete table inet egresstrator\n'));
    expect(replaced).toHaveLength(1);
    expect(replaced[0]).toContain('delete table netdev egresstrator\n');
    expect(replaced[0]).toContain('add table inet egresstrator_egress');
    expect(replaced[0]).toContain('add table netdev egresstrator_egress');
    expect(await nft('list', 'tables')).toBe(
      'table inet egresstrator_egress\ntable netdev egresstrator_egress',
    );
  });

  it('is never open and never cuts what stays granted meanwhile', async () => {
    const { workload } = fixture.agents;
    const text = egressText(`${fixture.granted.ipv4}:tcp/${PORT}`);
    await loadFormer(text);
    expect(await workload.busy('b', 4, fixture.granted.ipv4, PORT)).toBe('connected');
    for (let round = 0; round < 10; round += 1) {
      const upgrade = netns(fixture.workload, 'load egress', text);
      const attempts = await Promise.all([1, 2, 3].map(() => connect(fixture.denied)));
      expect(attempts).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED']);
      expect(await upgrade).toMatchObject({ exitCode: 0 });
      await loadFormer(text);
      await nft('delete', 'table', 'inet', 'egresstrator_egress');
      await nft('delete', 'table', 'netdev', 'egresstrator_egress');
    }
    const before = (await workload.echoes('b')).split(' ').map(Number);
    await expect
      .poll(async () => (await workload.echoes('b')).split(' ').map(Number), { timeout: 20_000 })
      .toSatisfy((after: number[]) => after.every((echoes, index) => echoes > (before[index] ?? 0)));
  });
});

/** Runs a command of the program; what it prints, and the changes that it makes, one text for each transaction. */
async function monitored(command: string, input: string) {
  const script = `
    dir=$(mktemp -d)
    nft monitor >"$dir/changes" &
    until grep -q 'ip before' "$dir/changes"; do nft 'add table ip before; delete table ip before'; sleep 0.1; done
    sh dataplane/netns ${command} >"$dir/printed"
    nft 'add table ip after; delete table ip after'
    until grep -q 'ip after' "$dir/changes"; do sleep 0.1; done
    kill $!
    cat "$dir/printed" "$dir/changes"
    rm -r "$dir"`;
  const { stdout } = await fixture.workload.run('sh', ['-c', script], { input });
  const [printed = ''] = stdout.split('add table ip before');
  return { printed, changes: stdout.split(/^# new generation/m) };
}

describe('at any moment', () => {
  it('a load that is killed leaves the rules of before or those that it loads', async () => {
    const texts = [egressText(`${fixture.granted.ipv4}:tcp/${PORT}`), egressText('192.0.2.1:tcp/80')];
    const known = new Set<string>();
    for (const text of texts) known.add((await netns(fixture.workload, 'load egress', text)).stdout);
    for (let round = 0; round < 20; round += 1) {
      const words = ['-s', 'KILL', `0.0${round + 10}`, 'sh', 'dataplane/netns', 'load', 'egress'];
      await fixture.workload.run('timeout', words, { reject: false, input: texts[round % 2] ?? '' });
      await expect.poll(async () => known.has(await state('egress'))).toBe(true);
      expect(await connect(fixture.denied)).toBe('ECONNREFUSED');
    }
  });

  it('several owners are loaded and cleared side by side', async () => {
    const egress = await load(fixture.workload, 'nftables');
    const host = await loadAs('host');
    const text = withFacts(renderWith('nftables').text, NO_FACTS);
    const rounds = <T>(act: () => Promise<T>) =>
      Array.from({ length: 15 }).reduce<Promise<T[]>>(
        async (done) => [...(await done), await act()],
        Promise.resolve([]),
      );
    const [ofEgress, ofHost, ofNat] = await Promise.all([
      rounds(() => netns(fixture.workload, 'load egress', text)),
      rounds(() => netns(fixture.workload, 'load host', textOf('host'))),
      rounds(async () => [
        (await netns(fixture.workload, 'load nat', textOf('nat'))).exitCode,
        (await netns(fixture.workload, 'clear nat')).exitCode,
      ]),
    ]);
    expect(new Set(ofEgress.map(({ stdout, stderr }) => stdout + stderr))).toEqual(new Set([egress]));
    expect(new Set(ofHost.map(({ stdout, stderr }) => stdout + stderr))).toEqual(new Set([host]));
    expect(new Set(ofNat.flat())).toEqual(new Set([0]));
    expect(await list()).toBe('egress\nhost');
  });
});

test('30,000 rules of others are not read: what is there for others would not fit into the memory given', async () => {
  const address = (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const many = Array.from({ length: 30_000 }, (_, index) => address(index));
  await nftFile(
    [
      'table inet foreign {',
      ...['set many { type ipv4_addr; elements = {', many.join(','), '} }'],
      ...['chain many {', ...many.map((each) => `ip saddr ${each} counter drop`), '}'],
      '}\n',
    ].join('\n'),
  );
  const limited = (command: string, input = '') =>
    fixture.workload.run('sh', ['-c', `ulimit -v 40000 && exec ${command}`], { reject: false, input });
  expect((await limited('nft -t list ruleset')).exitCode).not.toBe(0);
  const run = (command: string, input = '') => limited(`sh dataplane/netns ${command}`, input);
  const loaded = await run('load host', textOf('host'));
  expect(loaded).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run('reload host', textOf('host'))).toEqual(loaded);
  expect(await run('add host names', '192.0.2.7')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run('state host')).toEqual(loaded);
  expect(await run('inspect host')).toEqual(loaded);
  expect(await run('list')).toMatchObject({ exitCode: 0, stdout: 'host' });
  expect(await run('clear')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await list()).toBe('');
});
