/**
 * Forwards for iptables-restore, as `forwards create --write-files` writes them, with real packets.
 */
import { beforeAll, expect, test } from 'vitest';
import { iptablesRules, restoreText } from '../../src/features/host/iptables-rules.ts';
import { forward } from '../support/host-claims.ts';
import { BRIDGES, PORT, useHost } from './host-fixture.ts';

const { host, containers, agents } = await useHost();

/** As `10_docker` has it, where a firewall drops what nobody accepts. */
const BASE = `*nat
:DOCKER_CONTAINERS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER_CONTAINERS
-A OUTPUT -m addrtype --dst-type LOCAL -j DOCKER_CONTAINERS
COMMIT
*filter
:FORWARD DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i br-a ! -o br-a -j ACCEPT
-A FORWARD -i br-a -o br-a -j ACCEPT
COMMIT
`;

const FAMILIES = [4, 6] as const;
const address = (family: 4 | 6, of: { ipv4: string; ipv6: string }) => (family === 4 ? of.ipv4 : of.ipv6);
const tool = (family: 4 | 6) => (family === 4 ? 'iptables' : 'ip6tables');

const restore = (family: 4 | 6, input: string) =>
  host.run(`${tool(family)}-restore`, ['--wait', '--noflush'], { input });

const rulesFor = (family: 4 | 6) =>
  iptablesRules([forward(80, address(family, containers.a1), PORT)], BRIDGES, {
    ...{ family, chain: 'DOCKER_CONTAINERS' },
  });

const save = async (family: 4 | 6) =>
  (await host.run(`${tool(family)}-save`)).stdout.replace(/^#.*$|\[\d+:\d+\]/gm, '');

beforeAll(async () => {
  for (const family of FAMILIES) await restore(family, BASE);
});

test.each(FAMILIES)(
  'a port of IPv%i leads to its container, from everywhere, and no other does',
  async (family) => {
    await restore(family, restoreText(rulesFor(family), 'A') ?? '');
    const target = address(family, host);
    for (const from of [agents.outside, agents.host, agents.a2]) {
      expect(await from.open('x', target, 80)).toBe('connected');
      expect(await from.talk('x')).toBe('hello');
    }
    expect(await agents.outside.open('x', address(family, containers.a1), PORT)).not.toBe('connected');
  },
);

test.each(FAMILIES)('what was added for IPv%i can be removed without a rest', async (family) => {
  const before = await save(family);
  await restore(family, restoreText(rulesFor(family), 'A') ?? '');
  await restore(family, restoreText(rulesFor(family), 'D') ?? '');
  expect(await save(family)).toBe(before);
});
