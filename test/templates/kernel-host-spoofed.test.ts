/**
 * Permits are for who is called so: packets that bring the address of a permitted caller along, and come from elsewhere,
 * reach nothing by them.
 */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { ensureCommands } from '../../lab/apt.ts';
import type { Namespace } from '../../lab/netns.ts';
import { opening, permit } from '../support/host-claims.ts';
import { netns } from './fixture.ts';
import { dockerRules, loadHost, PORT, useHost } from './host-fixture.ts';

await ensureCommands({ iptables: 'iptables' });
const { agents, containers, host, outside } = await useHost();

const PROGRAM = fileURLToPath(new URL('../../dataplane/host', import.meta.url));

/** All that it sends has this source. */
const sendAs = (sender: Namespace, source: string) =>
  sender.run('nft', ['-f', '-'], {
    input: `table inet spoofing {
      chain out {
        type nat hook postrouting priority srcnat; policy accept;
        snat ${source.includes(':') ? 'ip6' : 'ip'} to ${source}
      }
    }`,
  });

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  const [a1, b1] = [containers.a1[family], containers.b1[family]];
  const tool = family === 'ipv4' ? 'iptables-nft' : 'ip6tables-nft';

  /** Each alone must keep them out. */
  const WALLS = {
    'the table raw': () => host.run(tool, ['-P', 'FORWARD', 'ACCEPT']),
    'the hook forward': () => host.run(tool, ['-t', 'raw', '-F']),
  };

  const CASES = [
    { name: 'from outside, in the name of a container', sender: 'outside', source: b1 },
    { name: 'from a container, in the name of a caller outside', sender: 'b1', source: outside[family] },
  ] as const;

  beforeEach(async () => {
    await netns(host, 'clear host');
    for (const one of [host, containers.b1, outside]) await one.run('nft', ['flush', 'ruleset']);
    await host.run(`${tool}-restore`, [], { input: dockerRules(containers, family) });
    await agents.a1.received();
  });

  describe.each(Object.entries(WALLS))('%s', (_, leaveAlone) => {
    it.each(CASES)('denies a datagram $name', async ({ sender, source }) => {
      await loadHost(host, { permits: [permit(source, a1, `${PORT}`, 'udp')] });
      await host.run('sh', [PROGRAM, 'passages']);
      await leaveAlone();
      await sendAs(sender === 'outside' ? outside : containers.b1, source);
      await agents[sender].ask(a1, PORT, 4100);
      expect(await agents.a1.received()).toBe('');
    });

    it('lets the permitted caller through', async () => {
      await loadHost(host, { permits: [permit(b1, a1, `${PORT}`, 'udp')] });
      await host.run('sh', [PROGRAM, 'passages']);
      await leaveAlone();
      expect(await agents.b1.ask(a1, PORT, 4101)).toBe('hello');
    });
  });

  it.each([true, false])(
    'a permit opens the guard to nobody else: between containers %s',
    async (isBetween) => {
      const guard = { mode: 'enforce', families: [4, 6], isBetween } as const;
      await loadHost(host, { guard, permits: [permit(b1, a1, `${PORT}`, 'udp')] });
      await WALLS['the table raw']();
      await WALLS['the hook forward']();
      expect(await agents.b1.ask(a1, PORT, 4102)).toBe('hello');
      await agents.a1.received();
      await sendAs(outside, b1);
      await agents.outside.ask(a1, PORT, 4103);
      expect(await agents.a1.received()).toBe('');
    },
  );

  it('a port that is open to a caller outside is not to a container in its name', async () => {
    const guard = { mode: 'enforce', families: [4, 6], isBetween: true } as const;
    await loadHost(host, { guard, openings: [opening(a1, PORT, [outside[family]], 'udp')] });
    await WALLS['the table raw']();
    await WALLS['the hook forward']();
    expect(await agents.outside.ask(a1, PORT, 4104)).toBe('hello');
    await agents.a1.received();
    await sendAs(containers.b1, outside[family]);
    await agents.b1.ask(a1, PORT, 4105);
    expect(await agents.a1.received()).toBe('');
  });
});
