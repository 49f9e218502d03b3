/**
 * Whether a host has the Engine's own rules: read from the kernel, whoever holds them.
 */
import { afterAll, beforeEach, expect, it } from 'vitest';
import { createNamespaces, type Namespace } from '../../lab/netns.ts';
import { readEngineRules } from '../../src/dataplane/engine-rules.ts';
import { netns } from './fixture.ts';

const set = await createNamespaces(1);
const [host] = set.namespaces;
if (host === undefined) throw new Error('no namespace');
afterAll(() => set.dispose());

beforeEach(async () => {
  await host.run('nft', ['flush', 'ruleset']);
  for (const table of ['nat', 'filter']) {
    await host.run('iptables-legacy', ['-t', table, '-F'], { reject: false });
    await host.run('iptables-legacy', ['-t', table, '-X'], { reject: false });
  }
});

const read = async (namespace: Namespace) => {
  const { hasChains, devices, ports } = await readEngineRules({
    run: async ({ name }) => netns(namespace, name),
  });
  return { hasChains, devices: [...devices], ports: [...ports] };
};

const NOTHING = { hasChains: false, devices: [], ports: [] };

/** As Engine 28.5 leaves it; 20.10 differs in the names of filter's chains. */
const XTABLES = `*nat
:PREROUTING ACCEPT
:POSTROUTING ACCEPT
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
-A DOCKER -d 192.0.2.1/32 ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.2:53
COMMIT
*filter
:FORWARD ACCEPT
:DOCKER-USER - [0:0]
:DOCKER-CT - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-CT
-A DOCKER-USER -i br-operator -j ACCEPT
-A DOCKER-CT -o br-web -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;

it.each(['nft', 'legacy'])('tells the rules in the tables of iptables-%s', async (kind) => {
  await host.run(`iptables-${kind}-restore`, [], { input: XTABLES });
  expect(await read(host)).toEqual({
    ...{ hasChains: true, devices: ['br-web', 'docker0'], ports: ['tcp 8080', 'udp 53'] },
  });
});

it("tells the rules in the nft tables of Engine 29's", async () => {
  await host.run('nft', ['-f', '-'], {
    input: `table ip docker-bridges {
      map nat-postrouting-in-jumps {
        type ifname : verdict
        elements = { "docker0" : jump inner, "bridge1" : jump inner }
      }
      chain inner { }
      chain nat-prerouting-and-output {
        iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80 comment "DNAT"
        ip daddr 192.0.2.1 udp dport 53 counter dnat to 172.17.0.2:53 comment "DNAT"
        tcp dport 8081 counter dnat to 172.17.0.3:80
      }
    }`,
  });
  expect(await read(host)).toEqual({
    hasChains: true,
    devices: ['bridge1', 'docker0'],
    ports: ['tcp 8080', 'tcp 8081', 'udp 53'],
  });
});

it('tells no chains where none leads to them, and makes no table where there is none', async () => {
  expect(await read(host)).toEqual(NOTHING);
  expect((await host.run('nft', ['list', 'ruleset'])).stdout).toBe('');
  await host.run('iptables-nft-restore', [], { input: '*nat\n:DOCKER - [0:0]\nCOMMIT\n' });
  expect(await read(host)).toEqual(NOTHING);
});
