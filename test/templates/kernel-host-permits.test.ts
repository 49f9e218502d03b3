/**
 * Permits: containers reach others on other networks, past all that Docker drops between them, and nobody else does.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import type { HostClaims } from '../../src/features/host/canonical.ts';
import { forward, permit } from '../support/host-claims.ts';
import { netns } from './fixture.ts';
import { dockerRules, loadHost, PORT, SUBNETS, useHost } from './host-fixture.ts';

await ensureCommands({ conntrack: 'conntrack', iptables: 'iptables', ss: 'iproute2' });
const { agents, containers, host, outside } = await useHost();

const PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));
const program = async (command: string, input = ''): Promise<readonly string[]> =>
  (await host.run('sh', [PROGRAM, command], { input })).stdout.split('\n').filter((line) => line !== '');

const NO_RULES = '*filter\n:FORWARD ACCEPT\nCOMMIT\n*raw\nCOMMIT\n*nat\nCOMMIT\n';

describe.each(['nft', 'legacy'] as const)('past iptables-%s', (kind) => {
  describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    const [a1, b1] = [containers.a1[family], containers.b1[family]];
    const tool = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${kind}`;
    const load = (...permits: HostClaims['permits']) => loadHost(host, { permits });

    beforeEach(async () => {
      await netns(host, 'clear host');
      await host.run('nft', ['flush', 'ruleset']);
      for (const legacy of ['iptables-legacy', 'ip6tables-legacy'])
        await host.run(`${legacy}-restore`, [], { input: NO_RULES });
      await host.run(`${tool}-restore`, [], { input: dockerRules(containers, family) });
    });

    it('a permitted call passes, each with its own address, and no other', async () => {
      await load(permit(b1, a1, `${PORT}`));
      expect(await agents.b1.open('x', a1, PORT)).toBe('silence');
      expect(await program('passages')).toEqual(
        expect.arrayContaining([`passage ${tool} PREROUTING placed`, `passage ${tool} DOCKER-USER placed`]),
      );
      expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
      expect(await agents.b1.talk('x')).toBe('hello');
      expect((await containers.a1.run('ss', ['-tnH', 'state', 'established'])).stdout).toContain(b1);
      expect(await agents.b1.open('y', a1, PORT + 1)).toBe('silence');
      expect(await agents.outside.open('y', a1, PORT)).toBe('silence');
      expect(await agents.a1.open('y', b1, PORT)).toBe('silence');
    });

    it('datagrams pass with their answers', async () => {
      await load(permit(b1, a1, `${PORT}`, 'udp'));
      await program('passages');
      expect(await agents.b1.ask(a1, PORT, 4100)).toBe('hello');
      expect(await agents.b1.ask(a1, PORT + 1, 4101)).toBe('silence');
      expect(await agents.b1.open('x', a1, PORT)).toBe('silence');
    });

    it('an answer to nothing does not: the permitted port opens no way back', async () => {
      await load(permit(b1, a1, '4000-4200', 'udp'));
      await program('passages');
      await agents.b1.received();
      // Then the table raw alone keeps it out.
      await host.run(tool, ['-P', 'FORWARD', 'ACCEPT']);
      // From a permitted port, as an answer would come.
      expect(await agents.a1.ask(b1, PORT, 4100)).toBe('silence');
      expect(await agents.b1.received()).toBe('');
    });

    it('what a target calls from a permitted port goes on as before, to callers outside and on its own bridge', async () => {
      const calls = `net.bridge.bridge-nf-call-${family === 'ipv4' ? 'iptables' : 'ip6tables'}`;
      await host.run('sysctl', ['-qw', `${calls}=1`]);
      await host.run(tool, ['-I', 'FORWARD', '-i', 'br-a', '-o', 'br-a', '-j', 'ACCEPT']);
      const anyA = SUBNETS[family][0] ?? '';
      await load(permit(outside[family], a1, '1-65535'), permit(anyA, a1, '1-65535'));
      await program('passages');
      expect(await agents.a1.open('x', outside[family], PORT)).toBe('connected');
      expect(await agents.a1.open('y', containers.a2[family], PORT)).toBe('connected');
    });

    it('both ways pass where both are permitted', async () => {
      await load(permit(b1, a1, `${PORT}`, 'udp'), permit(a1, b1, `${PORT}`, 'udp'));
      await program('passages');
      expect(await agents.a1.ask(b1, PORT, 4101)).toBe('hello');
      expect(await agents.b1.ask(a1, PORT, 4102)).toBe('hello');
    });

    it('a mark that a packet brings along opens nothing', async () => {
      await load(permit(b1, a1, `${PORT}`));
      await program('passages');
      await host.run(tool, ['-P', 'FORWARD', 'ACCEPT']);
      await host.run('nft', ['-f', '-'], {
        input:
          'table inet other { chain x { type filter hook prerouting priority -400; meta mark set 0x65000000; }; }',
      });
      expect(await agents.b1.open('x', a1, PORT + 1)).toBe('silence');
      expect(await agents.b1.open('y', a1, PORT)).toBe('connected');
    });

    it('a permit that goes takes its connections along, and an equal rule of others stays', async () => {
      await load(permit(b1, a1, `${PORT}-${PORT + 1}`));
      await program('passages');
      expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
      expect(await agents.b1.open('y', a1, PORT + 1)).toBe('connected');
      await load(permit(b1, a1, `${PORT + 1}`));
      expect(await agents.b1.talk('x')).toBe('silence');
      expect(await agents.b1.talk('y')).toBe('hello');
    });

    it('connections end with their permit though others accept what is established; those of others go on', async () => {
      // As Docker has it before version 28.
      await host.run(`${tool}-restore`, ['--noflush'], { input: '*raw\n-F\nCOMMIT\n' });
      const anyA = SUBNETS[family][0] ?? '';
      await load(permit(b1, anyA, `${PORT}-${PORT + 1}`), permit(b1, a1, `${PORT}`, 'udp'));
      await program('passages');
      const before = (await program('forwards')).join('\n');
      expect(before).toBe(
        [`permit tcp ${b1} ${anyA} ${PORT}-${PORT + 1}`, `permit udp ${b1} ${a1} ${PORT}`].join('\n'),
      );
      expect(await agents.b1.open('ends', a1, PORT)).toBe('connected');
      expect(await agents.b1.open('stays', a1, PORT + 1)).toBe('connected');
      expect(await agents.b1.ask(a1, PORT, 4103)).toBe('hello');
      await load(permit(b1, a1, `${PORT + 1}`));
      expect(await agents.b1.talk('ends')).toBe('hello');
      expect(await agents.b1.ask(a1, PORT, 4103)).toBe('hello');
      await program('forget', `${before}\n`);
      expect(await agents.b1.talk('ends')).toBe('silence');
      expect(await agents.b1.ask(a1, PORT, 4103)).toBe('silence');
      expect(await agents.b1.talk('stays')).toBe('hello');
    });

    it('overlapping permits load', async () => {
      const [anyA, anyB] = SUBNETS[family];
      await load(
        ...[
          permit(anyB ?? '', anyA ?? '', '1-65535'),
          permit(b1, a1, `${PORT}`),
          permit(b1, anyA ?? '', '7000-9000'),
        ],
        permit(anyB ?? '', a1, '80-90'),
      );
      await program('passages');
      expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
    });

    it('stand beside forwards, which keep theirs', async () => {
      await loadHost(host, { permits: [permit(b1, a1, `${PORT}`)], forwards: [forward(80, a1, PORT + 1)] });
      await program('passages');
      expect(await agents.b1.open('x', a1, PORT)).toBe('connected');
      expect(await agents.outside.open('y', host[family], 80)).toBe('connected');
    });

    it('are openings of the guard', async () => {
      await host.run(`${tool}-restore`, [], {
        input: '*filter\n:FORWARD ACCEPT\nCOMMIT\n*raw\n-F\nCOMMIT\n',
      });
      const guard = { mode: 'enforce', families: [4, 6], isBetween: true } as const;
      await loadHost(host, { guard, permits: [permit(b1, a1, `${PORT}`)] });
      await expect.poll(() => agents.b1.open('x', a1, PORT)).toBe('connected');
      expect(await agents.b1.open('y', a1, PORT + 1)).toBe('silence');
    });
  });
});

it('the passage in raw goes with the others', async () => {
  await netns(host, 'clear host');
  await host.run('nft', ['flush', 'ruleset']);
  await host.run('iptables-nft-restore', [], { input: dockerRules(containers, 'ipv4') });
  const before = (await host.run('iptables-nft', ['-t', 'raw', '-S'])).stdout;
  await program('passages');
  expect((await host.run('iptables-nft', ['-t', 'raw', '-S'])).stdout).not.toBe(before);
  expect(await program('check')).toContain('passage iptables-nft PREROUTING kept');
  await host.run('iptables-nft', ['-t', 'raw', '-I', 'PREROUTING', '-s', '192.0.2.1', '-j', 'DROP']);
  expect(await program('check')).toContain('passage iptables-nft PREROUTING moved');
  await host.run('iptables-nft', ['-t', 'raw', '-D', 'PREROUTING', '-s', '192.0.2.1', '-j', 'DROP']);
  await program('remove');
  expect((await host.run('iptables-nft', ['-t', 'raw', '-S'])).stdout).toBe(before);
});
