/**
 * Engine 28 and later drop in raw what comes to a container's address from elsewhere, and so the answers to calls between
 * bridges. Answers of forwards pass there, and nothing else does.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import { forward } from '../support/host-claims.ts';
import { netns } from './fixture.ts';
import { loadHost, PORT, useHost } from './host-fixture.ts';

await ensureCommands({ iptables: 'iptables' });
const { agents, containers, host } = await useHost();
const PASSAGE = '-m mark --mark 0x64000000/0xfe000000 -m comment --comment egresstrator -j ACCEPT';
const PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  describe.each(['nft', 'legacy'])('of iptables-%s', (kind) => {
    const tool = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${kind}`;
    const raw = (...args: readonly string[]) => host.run(tool, ['-t', 'raw', ...args]);
    const program = async (command: string) =>
      (await host.run('sh', [PROGRAM, command])).stdout
        .split('\n')
        .filter((line) => line.includes(` ${tool} `));
    const early = async () =>
      (await raw('-S', 'PREROUTING')).stdout.split('\n').filter((line) => line.startsWith('-A'));
    const closed = () =>
      raw('-A', 'PREROUTING', '-d', containers.a1[family], '!', '-i', 'br-a', '-j', 'DROP');
    const calls = () => agents.a1.open('x', host[family], 80);

    beforeEach(async () => {
      await netns(host, 'clear host');
      await host.run('nft', ['flush', 'ruleset']);
      for (const one of ['iptables-legacy', 'ip6tables-legacy']) await host.run(one, ['-t', 'raw', '-F']);
      await loadHost(host, { forwards: [forward(80, containers.b1[family], PORT)] });
    });

    it('answers to calls between bridges pass', async () => {
      expect(await calls()).toBe('connected');
      await closed();
      expect(await calls()).toBe('silence');
      expect(await program('check')).toContain(`passage ${tool} PREROUTING absent`);
      expect(await program('passages')).toContain(`passage ${tool} PREROUTING placed`);
      expect(await calls()).toBe('connected');
      expect(await agents.a1.talk('x')).toBe('hello');
    });

    it('a target reaches nobody from the port of its forward', async () => {
      await closed();
      await program('passages');
      // Of its own, as the kernel still knows streams of the other kind's test.
      const own = kind === 'nft' ? 4400 : 4401;
      const filter = (...args: readonly string[]) => host.run(tool, args);
      await filter('-F', 'FORWARD');
      await filter(
        '-A',
        'FORWARD',
        '-i',
        'br-b',
        '-o',
        'br-a',
        '-m',
        'conntrack',
        '--ctstate',
        'NEW',
        '-j',
        'DROP',
      );
      await program('passages');
      await loadHost(host, { forwards: [forward(81, containers.b1[family], own, { protocol: 'udp' })] });
      const asks = () => agents.b1.ask(containers.a1[family], PORT, own);
      expect(await asks()).not.toBe('hello');
      await filter('-F', 'FORWARD');
      expect(await asks()).toBe('hello');
    });

    it('are first, once, and leave nothing when they are removed', async () => {
      const rule = `-A PREROUTING ${PASSAGE}`;
      await closed();
      const before = await early();
      await program('passages');
      expect(await early()).toEqual([rule, ...before]);
      expect(await program('check')).toContain(`passage ${tool} PREROUTING kept`);
      await raw('-I', 'PREROUTING', '-p', 'udp', '-m', 'udp', '--dport', '9', '-j', 'DROP');
      expect(await program('check')).toContain(`passage ${tool} PREROUTING moved`);
      await program('passages');
      expect(await early()).toEqual([rule, '-A PREROUTING -p udp -m udp --dport 9 -j DROP', ...before]);
      await raw('-D', 'PREROUTING', '1');
      await raw('-D', 'PREROUTING', '1');
      expect(await program('check')).toContain(`passage ${tool} PREROUTING absent`);
      await program('passages');
      await program('remove');
      expect(await early()).toEqual(before);
    });

    it('a table without drops of the Engine is left alone', async () => {
      await raw('-A', 'PREROUTING', '-p', 'udp', '-m', 'udp', '--dport', '9', '-j', 'DROP');
      await program('passages');
      expect(await early()).toHaveLength(1);
    });
  });
});
