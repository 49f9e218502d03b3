/**
 * Passages: what our table lets through passes other firewalls of the host, which are otherwise left as they are.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import { inCheckout } from '../../lab/paths.ts';
import { forward } from '../support/host-claims.ts';
import { valuesOf } from '../support/unit-file.ts';
import { netns } from './fixture.ts';
import { loadHost, PORT, useHost } from './host-fixture.ts';

await ensureCommands({ iptables: 'iptables', conntrack: 'conntrack' });
const { agents, containers, host } = await useHost();
const KINDS = ['nft', 'legacy'] as const;
const FAMILIES = ['ipv4', 'ipv6'] as const;
const PASSAGE = '-m mark --mark 0x64000000/0xfe000000 -m comment --comment egresstrator -j ACCEPT';

const PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));
const program = async (command: string, input?: string): Promise<readonly string[]> => {
  const { stdout } = await host.run('sh', [PROGRAM, command], input === undefined ? {} : { input });
  return stdout.split('\n').filter((line) => line !== '');
};

const toolOf = (family: (typeof FAMILIES)[number], kind: (typeof KINDS)[number]): string =>
  `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${kind}`;

const rulesOf = async (tool: string, chain: string): Promise<readonly string[]> =>
  (await host.run(tool, ['-S', chain])).stdout.split('\n').filter((line) => line.startsWith('-A'));

/** Without comments and counters, which count the kernel's own traffic too. A legacy table exists once it was asked for. */
async function everything(): Promise<string> {
  const saved = ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'].map((tool) =>
    host.run(`${tool}-save`, []),
  );
  const texts = [host.run('nft', ['list', 'ruleset']), ...saved];
  return (await Promise.all(texts))
    .map(({ stdout }) => stdout.replace(/^#.*\n?/gm, '').replace(/\[\d+:\d+\]| packets \d+ bytes \d+/g, ''))
    .join('\n');
}

beforeEach(async () => {
  await netns(host, 'clear host');
  await host.run('nft', ['flush', 'ruleset']);
  for (const tool of ['iptables-legacy', 'ip6tables-legacy'])
    await host.run(`${tool}-restore`, [], { input: '*filter\n:FORWARD ACCEPT\nCOMMIT\n' });
});

describe.each(FAMILIES)('%s', (family) => {
  describe.each(KINDS)('of iptables-%s', (kind) => {
    const tool = toolOf(family, kind);
    const run = (...args: readonly string[]) => host.run(tool, args);
    const state = async () => (await program('check')).filter((line) => line.includes(` ${tool} `));
    const port = family === 'ipv4' ? 80 : 81;
    const calls = () => agents.outside.open('x', host[family], port);

    beforeEach(() => loadHost(host, { forwards: [forward(port, containers.a1[family], PORT)] }));

    it('a policy of FORWARD that drops is passed by forwards, and by nothing else', async () => {
      await run('-P', 'FORWARD', 'DROP');
      expect(await calls()).toBe('silence');
      expect(await program('passages')).toContain(`passage ${tool} FORWARD placed`);
      expect(await calls()).toBe('connected');
      expect(await agents.outside.talk('x')).toBe('hello');
      expect(await agents.outside.open('y', containers.a1[family], PORT)).toBe('silence');
    });

    it('are made with the rights that the unit gives', async () => {
      await run('-P', 'FORWARD', 'DROP');
      const [rights = ''] = valuesOf(
        inCheckout('deploy/egresstrator-nsenter.service'),
        'CapabilityBoundingSet',
      );
      const bounds = rights.split(' ').map((right) => `+${right.replace('CAP_', '').toLowerCase()}`);
      const how = ['--no-new-privs', '--bounding-set', `-all,${bounds.join(',')}`, 'sh', PROGRAM, 'passages'];
      expect((await host.run('setpriv', how)).stdout).toContain(`passage ${tool} FORWARD placed`);
    });

    it('a chain of another program, which rejects what it does not know, is passed', async () => {
      await run('-N', 'ufw-reject-forward');
      await run('-A', 'ufw-reject-forward', '-j', 'REJECT');
      await run('-A', 'FORWARD', '-j', 'ufw-reject-forward');
      expect(await calls()).not.toBe('connected');
      await program('passages');
      expect(await calls()).toBe('connected');
    });

    it('are put first again wherever they must be, once', async () => {
      const first = () => rulesOf(tool, 'FORWARD');
      await run('-P', 'FORWARD', 'DROP');
      expect(await state()).toEqual([`passage ${tool} FORWARD absent`]);
      await program('passages');
      expect(await state()).toEqual([`passage ${tool} FORWARD kept`]);
      await run('-I', 'FORWARD', '-j', 'DROP');
      expect(await state()).toEqual([`passage ${tool} FORWARD moved`]);
      await program('passages');
      expect(await first()).toEqual([`-A FORWARD ${PASSAGE}`, '-A FORWARD -j DROP']);
      await run('-N', 'DOCKER-USER');
      await run('-A', 'DOCKER-USER', '-j', 'RETURN');
      await run('-I', 'FORWARD', '-j', 'DOCKER-USER');
      expect(await state()).toEqual([`passage ${tool} DOCKER-USER moved`]);
      await program('passages');
      expect(await first()).toEqual(['-A FORWARD -j DOCKER-USER', '-A FORWARD -j DROP']);
      const user = [`-A DOCKER-USER ${PASSAGE}`, '-A DOCKER-USER -j RETURN'];
      expect(await rulesOf(tool, 'DOCKER-USER')).toEqual(user);
      expect(await calls()).toBe('connected');
      expect(await program('passages')).toContain(`passage ${tool} DOCKER-USER kept`);
      await run('-A', 'DOCKER-USER', ...PASSAGE.split(' '));
      expect(await state()).toEqual([`passage ${tool} DOCKER-USER moved`]);
      await program('passages');
      expect(await rulesOf(tool, 'DOCKER-USER')).toEqual(user);
      await run('-F', 'DOCKER-USER');
      expect(await state()).toEqual([`passage ${tool} DOCKER-USER absent`]);
      await program('passages');
      expect(await rulesOf(tool, 'DOCKER-USER')).toEqual([`-A DOCKER-USER ${PASSAGE}`]);
      expect(await calls()).toBe('connected');
    });

    it('leave nothing when they are removed', async () => {
      await run('-P', 'FORWARD', 'DROP');
      await run('-N', 'DOCKER-USER');
      await run('-A', 'DOCKER-USER', '-j', 'RETURN');
      await run('-A', 'FORWARD', '-j', 'DOCKER-USER');
      await netns(host, 'clear host');
      const before = await everything();
      await program('passages');
      expect(await everything()).toContain('egresstrator');
      await program('remove');
      expect(await everything()).toBe(before);
    });
  });

  it('connections end with their forward, and others go on', async () => {
    const [a1, a2] = [containers.a1[family], containers.a2[family]];
    await loadHost(host, { forwards: [forward(80, a1, PORT), forward(81, a2, PORT)] });
    await agents.outside.open('ends', host[family], 80);
    await agents.outside.open('stays', host[family], 81);
    expect(await program('forwards')).toEqual([`tcp 80 ${a1} ${PORT}`, `tcp 81 ${a2} ${PORT}`]);
    await loadHost(host, { forwards: [forward(81, a2, PORT)] });
    expect(await agents.outside.talk('ends')).toBe('hello');
    await program('forget', `tcp 80 ${a1} ${PORT}\n`);
    expect(await agents.outside.talk('ends')).not.toBe('hello');
    expect(await agents.outside.talk('stays')).toBe('hello');
  });

  it('a stream of datagrams follows its forward to another target', async () => {
    const [a1, a2] = [containers.a1[family], containers.a2[family]];
    const received = () => Promise.all([agents.a1.received(), agents.a2.received()]);
    const to = (target: string) => [forward(53, target, PORT, { protocol: 'udp' })];
    await received();
    await loadHost(host, { forwards: to(a1) });
    expect(await agents.outside.ask(host[family], 53, 4200)).toBe('hello');
    expect(await received()).toEqual(['hello', '']);
    await loadHost(host, { forwards: to(a2) });
    expect(await agents.outside.ask(host[family], 53, 4200)).toBe('hello');
    expect(await received()).toEqual(['hello', '']);
    await program('forget', `udp 53 ${a1} ${PORT}\n`);
    expect(await agents.outside.ask(host[family], 53, 4200)).toBe('hello');
    expect(await received()).toEqual(['', 'hello']);
  });

  it('a stream of datagrams that nobody answered takes a forward that comes later', async () => {
    await agents.host.serve(PORT + 60);
    await loadHost(host, { forwards: [forward(80, containers.a1[family], PORT)] });
    expect(await agents.outside.ask(host[family], 54, 4201)).not.toBe('hello');
    expect(await agents.outside.ask(host[family], PORT + 60, 4202)).toBe('hello');
    await loadHost(host, {
      forwards: [54, PORT + 60].map((port) =>
        forward(port, containers.a1[family], PORT, { protocol: 'udp' }),
      ),
    });
    expect(await agents.outside.ask(host[family], 54, 4201)).not.toBe('hello');
    await agents.a1.received();
    await program('forget', `udp 54\nudp ${PORT + 60}\n`);
    expect(await agents.outside.ask(host[family], 54, 4201)).toBe('hello');
    expect(await agents.a1.received()).toBe('hello');
    // The host answered this one, and goes on.
    expect(await agents.outside.ask(host[family], PORT + 60, 4202)).toBe('hello');
    expect(await agents.a1.received()).toBe('');
  });
});

it('a table that does not exist is not made', async () => {
  await loadHost(host, { forwards: [forward(80, containers.a1.ipv4, PORT)] });
  await program('passages');
  expect((await host.run('nft', ['list', 'tables'])).stdout).toBe('table inet egresstrator_host');
  expect(await program('check')).toEqual(
    ['iptables-legacy', 'ip6tables-legacy'].map((tool) => `passage ${tool} FORWARD kept`),
  );
});

it('chains of nft that drop what they do not know are reported, unless they know the mark', async () => {
  const chain = (name: string, policy: string, ...rules: readonly string[]) =>
    `chain ${name} { type filter hook forward priority 10; policy ${policy}; ${rules.map((rule) => `${rule}; `).join('')} }; `;
  const input = `table inet others { ${[
    chain('strict', 'drop', 'ct state established accept'),
    chain(
      'rejects',
      'accept',
      'ct state established accept',
      'counter log prefix "no " reject with icmpx admin-prohibited',
    ),
    chain('some', 'accept', 'tcp dport 22 drop'),
    chain('knows', 'drop', 'meta mark & 0xfe000000 == 0x64000000 accept'),
  ].join('')} }
  table bridge others { ${chain('frames', 'drop')} }`;
  await host.run('nft', ['-f', '-'], { input });
  const output = (await program('passages')).filter((line) => line.startsWith('drops'));
  expect(output).toEqual(['drops inet others strict', 'drops inet others rejects']);
});

it('a table that another program made in its own form is left alone, and reported', async () => {
  const input = `table ip filter { chain FORWARD { type filter hook forward priority 5; policy drop;
    tcp dport vmap { 80 : accept }; }; }`;
  await host.run('nft', ['-f', '-'], { input });
  const before = await everything();
  const output = await program('passages');
  expect(output).toEqual(expect.arrayContaining(['fails iptables-nft', 'drops ip filter FORWARD']));
  await program('remove');
  expect(await everything()).toBe(before);
});
