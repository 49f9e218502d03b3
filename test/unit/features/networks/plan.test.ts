/**
 * What follows from networks.json for the containers and networks that are there.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DesiredNetworks } from '../../../../src/features/networks/model.ts';
import { planOf, type Surroundings } from '../../../../src/features/networks/plan.ts';
import { readNetworks } from '../../../../src/features/networks/read.ts';
import type { Container } from '../../../../src/inventory/container.ts';
import type { HostFacts } from '../../../../src/inventory/host-facts.ts';
import { namespaceId, namespacesOf } from '../../../../src/inventory/namespace.ts';
import type { Network } from '../../../../src/inventory/network.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { container } from '../../../support/containers.ts';
import { prefix } from '../../../support/host-claims.ts';
import { end, network } from '../../../support/host-inventory.ts';
import { EXAMPLE, randomFile, textOf } from '../../../support/networks-file.ts';

type Here = Partial<HostFacts> & {
  readonly containers?: readonly Container[];
  readonly networks?: readonly Network[];
};

const around = ({ containers = [], networks = [], ...facts }: Here): Surroundings => ({
  ...{ containers, host: { devices: new Set(['eth0', 'wg0']), routes: [], forwards: [4, 6], ...facts } },
  namespaces: namespacesOf(new Map(containers.map((one) => [one.id, one]))),
  networks: new Map(networks.map((one) => [one.id, one])),
});

function plan(file: unknown, here: Here = {}) {
  const read = readNetworks(typeof file === 'string' ? file : JSON.stringify(file));
  if ('reason' in read) throw new Error(read.reason);
  return planOf(read, around(here));
}

const sentences = (file: unknown, here?: Here) =>
  plan(file, here).problems.map(({ text, reason }) => `${text}: ${reason}`);

const attached = ({ attachments }: DesiredNetworks) =>
  attachments.map(
    (one) => `${one.container} in ${one.network} with ${one.addresses.map(formatPrefix).join(' ')}`,
  );

const permitted = ({ permits }: DesiredNetworks) =>
  permits.map(
    ({ from, to, protocol, range }) =>
      `${formatPrefix(from)} ${formatPrefix(to)} ${protocol} ${range.first}-${range.last}`,
  );

const innerOf = ({ inner }: DesiredNetworks) =>
  [...inner].map(([id, { container: name, forwards, routes }]) => ({
    ...{ id, name },
    forwards: forwards.map(
      (one) => `${one.device ?? '*'} ${one.protocol} ${one.port} ${formatPrefix(one.to)} ${one.toPort}`,
    ),
    routes: routes.map(({ to, via }) => `${formatPrefix(to)} via ${formatPrefix(via)}`),
  }));

const FILE = {
  networks: {
    front: { subnet: ['10.1.0.0/24', 'fd00:1::/64'], gateway: ['10.1.0.1', 'fd00:1::1'] },
    back: { network_name: 'back_end', subnet: '10.2.0.0/24', gateway: '10.2.0.1' },
  },
  ips: {
    proxy: { ip: ['10.1.0.2', 'fd00:1::2'], container_name: 'proxy' },
    web: { ip: '10.2.0.2', container_name: 'web-1' },
  },
  policies: [
    { selector: 'web1', from: 'proxy', port: 80, proto: 'tcp' },
    { name: 'vpn', iface: 'wg0', where: 'container', nat: 'dnat', to: 'web1', port: 80, proto: 'tcp' },
  ],
};

const subnet = (text: string, gateway?: string) => ({
  ...{ prefix: prefix(text), gateway: gateway === undefined ? undefined : prefix(gateway) },
});

const FRONT = network('front', [], {
  subnets: [subnet('10.1.0.0/24', '10.1.0.1'), subnet('fd00:1::/64', 'fd00:1::1')],
});
const BACK = network('back_end', [], { subnets: [subnet('10.2.0.0/24')] });
const OTHER = network('other', [], { subnets: [subnet('10.9.0.0/24', '10.9.0.254')] });
const networks = [FRONT, BACK, OTHER];

const proxy = (...ends: Container['networks']) => container('proxy', { networks: ends });
const PROXY = proxy(end('front', '10.1.0.2', 'fd00:1::2'));
const WEB = container('web_1', { networks: [end('back_end', '10.2.0.2')] });
const VPN = container('vpn', { networks: [end('other', '10.9.0.5')] });

describe('networks', () => {
  it('are made if Docker lacks them', () => {
    expect(plan(FILE).desired.networks.map(({ name }) => name)).toEqual(['front', 'back_end']);
    expect(plan(FILE, { networks: [FRONT] }).desired.networks.map(({ name }) => name)).toEqual(['back_end']);
    expect(plan(FILE, { networks }).desired.networks).toEqual([]);
  });

  it('are the same but for - and _', () => {
    const backend = { ...BACK, name: 'back-end' };
    expect(plan(FILE, { networks: [FRONT, backend] }).desired.networks).toEqual([]);
  });

  it('are two where the file has two names that are the same but for - and _', () => {
    const other = { ...BACK, id: 'other', name: 'back-end', subnets: [subnet('10.3.0.0/24')] };
    const file = {
      ...FILE,
      networks: { ...FILE.networks, other: { network_name: 'back-end', subnet: '10.3.0.0/24' } },
    };
    const missing = (present: readonly Network[]) =>
      plan(file, { networks: present }).desired.networks.map(({ name }) => name);
    expect(missing([FRONT])).toEqual(['back_end', 'back-end']);
    expect(missing([FRONT, other])).toEqual(['back_end']);
    expect(missing([FRONT, other, BACK])).toEqual([]);
    expect(sentences(file, { networks: [FRONT, other] })).toEqual([]);
  });

  it.each<readonly [string, readonly Network[], string]>([
    [
      'another subnet',
      [{ ...BACK, subnets: [subnet('10.3.0.0/24')] }],
      'networks.back: Docker has this network with 10.3.0.0/24, not 10.2.0.0/24; left as it is',
    ],
    [
      'one family less',
      [{ ...FRONT, subnets: FRONT.subnets.slice(0, 1) }],
      'networks.front: Docker has this network with 10.1.0.0/24, not 10.1.0.0/24 and fd00:1::/64; left as it is',
    ],
    [
      'another gateway',
      [{ ...BACK, subnets: [subnet('10.2.0.0/24', '10.2.0.254')] }],
      'networks.back.gateway: Docker has this network with the gateway 10.2.0.254, not 10.2.0.1; left as it is',
    ],
    [
      'two by its name',
      [BACK, { ...BACK, id: 'two', subnets: [] }],
      'networks.back: Docker has 2 networks by this name (back_end); left as they are: remove all but one',
    ],
    [
      'a network with its addresses',
      [network('old', ['10.2.0.128/25'])],
      'networks.back.subnet: 10.2.0.0/24 overlaps Docker\'s network "old"; write another prefix, or remove that network',
    ],
  ])('are left as they are where Docker has %s', (_, present, sentence) => {
    expect(sentences(FILE, { networks: present })).toContain(sentence);
    const made = plan(FILE, { networks: present }).desired.networks.map(({ origin }) => origin.path);
    expect(made).not.toContain(sentence.split(/[:.]/).slice(0, 2).join('.'));
  });

  it("take no container into another network that has their addresses, and that network's containers have no permit of theirs", () => {
    const file = {
      networks: { front: { subnet: '10.1.0.0/24' }, back: { subnet: '10.2.0.0/24' } },
      ips: { web: { ip: '10.2.0.2', container_name: 'web' }, app: { ip: '10.1.0.2', container_name: 'app' } },
      policies: [
        { selector: 'app', from: 'back', port: 80, proto: 'tcp' },
        { selector: 'web', from: 'front', port: 81, proto: 'tcp' },
      ],
    };
    const here = { containers: [container('web'), container('app')] };
    for (const back of [[], [network('back', ['10.3.0.0/24'])]]) {
      const { desired, problems } = plan(file, {
        ...here,
        networks: [network('old', ['10.2.0.0/24']), ...back],
      });
      expect(attached(desired)).toEqual(['app in front with 10.1.0.2']);
      expect(permitted(desired)).toEqual(['10.1.0.0/24 10.2.0.2 tcp 81-81']);
      expect(problems.map(({ text, reason }) => `${text}: ${reason}`)).toContain(
        'ips.web.ip: 10.2.0.2 is in the network "back" of this file, and Docker has it in "old"; left as it is: remove one of these networks',
      );
    }
  });

  it('are not made where this host reaches others by their addresses', () => {
    const routes = [{ prefix: prefix('10.0.0.0/8'), device: 'wg0' }];
    expect(sentences(FILE, { routes })).toContain(
      "networks.back.subnet: 10.2.0.0/24 overlaps the route 10.0.0.0/8 of this host's device wg0, whose hosts could not be reached any more; write another prefix",
    );
    expect(plan(FILE, { routes }).desired.networks).toEqual([]);
  });

  it('may stand beside a default route, and their own', () => {
    const own = { prefix: prefix('10.2.0.0/24'), device: 'br-back_end' };
    const routes = [{ prefix: prefix('0.0.0.0/0'), device: 'eth0' }, own];
    expect(sentences(FILE, { routes, networks })).toEqual([]);
    expect(plan(FILE, { routes: routes.slice(0, 1) }).desired.networks).toHaveLength(2);
    const foreign = { ...own, device: 'eth1' };
    expect(sentences(FILE, { routes: [foreign], networks })).toEqual([
      'networks.back.subnet: Docker has the network "back_end" with addresses that this host reaches by its device eth1 too (route 10.2.0.0/24); remove one of them',
    ]);
  });
});

describe('addresses', () => {
  it('are given to containers that run and lack them', () => {
    const [bare, web] = [proxy(), container('web_1')];
    expect(attached(plan(FILE, { networks, containers: [bare, web] }).desired)).toEqual([
      'proxy in front with 10.1.0.2 fd00:1::2',
      'web_1 in back_end with 10.2.0.2',
    ]);
    expect(attached(plan(FILE, { networks, containers: [PROXY, WEB] }).desired)).toEqual([]);
    expect(attached(plan(FILE, { networks }).desired)).toEqual([]);
    expect(attached(plan(FILE, { containers: [bare] }).desired)).toEqual([
      'proxy in front with 10.1.0.2 fd00:1::2',
    ]);
  });

  it('name the other names of the entry, whose container may only be stopped', () => {
    const ips = { i: { ip: '10.2.0.2', container_name: 'web-1', selector: 'api' } };
    const ofRunning = (name: string) =>
      plan({ ...FILE, ips }, { networks, containers: [container(name)] }).desired.attachments.map(
        ({ otherNames }) => otherNames,
      );
    expect(['web-1', 'api', 'web_1'].map(ofRunning)).toEqual([[['api']], [['web-1']], [['web-1', 'api']]]);
  });

  it.each<readonly [string, Here, string]>([
    [
      'another address there',
      { networks, containers: [container('web_1', { networks: [end('back_end', '10.2.0.9')] })] },
      'ips.web.ip: container "web_1" has 10.2.0.9 in the network "back_end", not 10.2.0.2; left as it is: disconnect it from that network (docker network disconnect)',
    ],
    [
      'no network of its own',
      { networks, containers: [container('web_1', { network: { kind: 'host' } })] },
      'ips.web.ip: container "web_1" uses this host\'s network, and takes no address; start it without that',
    ],
    [
      'a name that another has too',
      { networks, containers: [container('web_1'), container('web__1')] },
      'ips.web: "web-1" is the name of the containers "web_1" and "web__1"; rename one',
    ],
    [
      'a network with other addresses',
      { networks: [FRONT, { ...BACK, subnets: [subnet('10.3.0.0/24')] }], containers: [container('web_1')] },
      'ips.web.ip: 10.2.0.2 is in no network that Docker has, and in none that this file makes; add its network, or write another address',
    ],
  ])('are not given to a container with %s', (_, here, sentence) => {
    expect(sentences(FILE, here)).toContain(sentence);
    expect(attached(plan(FILE, here).desired)).toEqual([]);
  });

  it('of another container count for nothing', () => {
    const thief = container('thief', { networks: [end('back_end', '10.2.0.2')] });
    const here = { networks, containers: [PROXY, thief, VPN] };
    expect(sentences(FILE, here)).toEqual([
      'ips.web.ip: 10.2.0.2 is the address of the container "thief"; nothing that names it counts until that container is gone',
    ]);
    const { desired } = plan(FILE, here);
    expect([permitted(desired), innerOf(desired)]).toEqual([[], []]);
  });

  it('of another container count for nothing, though their entry names two', () => {
    const thief = container('thief', { networks: [end('back_end', '10.2.0.2')] });
    const here = (...more: readonly Container[]) => ({ networks, containers: [PROXY, thief, ...more] });
    const twice = [container('web_1'), container('web__1')];
    expect(permitted(plan(FILE, here(...twice)).desired)).toEqual([]);
    expect(sentences(FILE, here(...twice))).toEqual([
      'ips.web: "web-1" is the name of the containers "web_1" and "web__1"; rename one',
      'ips.web.ip: 10.2.0.2 is the address of the container "thief"; nothing that names it counts until that container is gone',
    ]);
    const own = { networks, containers: [PROXY, WEB, container('web__1')] };
    expect(permitted(plan(FILE, own).desired)).toEqual(['10.1.0.2 10.2.0.2 tcp 80-80']);
  });

  it.each([
    ['10.2.0.0', '10.2.0.0 cannot be the address of a container in 10.2.0.0/24'],
    ['10.2.0.255', '10.2.0.255 cannot be the address of a container in 10.2.0.0/24'],
    ['10.2.0.1', '10.2.0.1 is the gateway of Docker\'s network "back_end"; write another address'],
    ['10.9.0.254', '10.9.0.254 is the gateway of Docker\'s network "other"; write another address'],
  ])('that Docker gives to no container are not asked for: %s', (ip, sentence) => {
    const here = { networks, containers: [container('web')] };
    const file = { ips: { web: { ip, container_name: 'web' } } };
    expect(sentences(file, here)).toEqual([`ips.web.ip: ${sentence}`]);
    expect(attached(plan(file, here).desired)).toEqual([]);
  });

  it('that a container has where Docker could not attach it, or in a removed network, are not there', () => {
    const failed = { ...end('back_end', '10.2.0.2'), lacksGateway: true };
    const here = (...ends: Container['networks']) => ({
      networks,
      containers: [PROXY, container('web_1', { networks: ends })],
    });
    expect(attached(plan(FILE, here(failed)).desired)).toEqual(['web_1 in back_end with 10.2.0.2']);
    expect(attached(plan(FILE, here(end('gone', '10.2.0.2'))).desired)).toEqual([
      'web_1 in back_end with 10.2.0.2',
    ]);
    const internal = { ...here(failed), networks: [FRONT, { ...BACK, isInternal: true }] };
    expect(attached(plan(FILE, internal).desired)).toEqual([]);
    const thief = container('thief', { networks: [failed] });
    const { desired, problems } = plan(FILE, { networks, containers: [PROXY, thief] });
    expect([permitted(desired), problems]).toEqual([['10.1.0.2 10.2.0.2 tcp 80-80'], []]);
    const [other, vpn] = [{ ...end('other', '10.9.0.5'), lacksGateway: true }, end('front', '10.1.0.5')];
    const inside = { ...VPN, networks: [other, vpn] };
    expect(innerOf(plan(FILE, { networks, containers: [PROXY, inside] }).desired)).toMatchObject([
      { name: 'vpn', routes: ['10.2.0.2 via 10.1.0.1'] },
    ]);
  });

  it('are one of a family for a container in a network, whatever entries name it', () => {
    const ips = {
      one: { ip: '10.2.0.2', container_name: 'web', selector: 'app' },
      other: { ip: ['10.2.0.3', 'fd00:1::3'], container_name: 'app' },
    };
    const here = { networks, containers: [container('app')] };
    expect(attached(plan({ ips }, here).desired)).toEqual([
      'app in back_end with 10.2.0.2',
      'app in front with fd00:1::3',
    ]);
    const after = { networks, containers: [container('app', { networks: [end('back_end', '10.2.0.2')] })] };
    expect(sentences({ ips }, after)[0]).toContain('container "app" has 10.2.0.2 in the network "back_end"');
  });
});

describe('policies', () => {
  it('permit by address, whatever runs', () => {
    expect(permitted(plan(FILE).desired)).toEqual(['10.1.0.2 10.2.0.2 tcp 80-80']);
    expect(plan(FILE).desired.forwarding).toEqual([]);
    expect(plan(FILE, { forwards: [6] }).desired.forwarding).toEqual([4]);
  });

  it('of IPv6 need a host that forwards it, which its operator turns on', () => {
    const policies = [{ to: 'proxy', from: 'fd00:9::/64', port: 80, proto: 'tcp' }];
    expect(sentences({ ...FILE, policies }, { forwards: [4] })).toEqual([
      'policies[0]: this host does not forward IPv6; run `sysctl -w net.ipv6.conf.all.forwarding=1`, and set accept_ra=2 on a device that gets its address by router advertisements',
    ]);
  });

  it('lead a port of a container elsewhere, with a route and a permit to there', () => {
    const { desired, problems } = plan(FILE, { networks, containers: [PROXY, WEB, VPN] });
    expect(problems).toEqual([]);
    expect(innerOf(desired)).toEqual([
      {
        ...{ id: namespaceId(VPN), name: 'vpn', forwards: ['wg0 tcp 80 10.2.0.2 80'] },
        routes: ['10.2.0.2 via 10.9.0.254'],
      },
    ]);
    expect(permitted(desired)).toEqual(['10.1.0.2 10.2.0.2 tcp 80-80', '10.9.0.5 10.2.0.2 tcp 80-80']);
  });

  it('need neither where both are in one network', () => {
    const vpn = container('vpn', { networks: [end('back_end', '10.2.0.7'), end('other', '10.9.0.5')] });
    const { desired } = plan(FILE, { networks, containers: [vpn] });
    expect(innerOf(desired).map(({ routes }) => routes)).toEqual([[]]);
    expect(permitted(desired)).toEqual(['10.1.0.2 10.2.0.2 tcp 80-80']);
  });

  it('go to the namespace that a container shares', () => {
    const vpn = container('vpn', { network: { kind: 'container', owner: PROXY.id } });
    const { desired } = plan(FILE, { networks, containers: [PROXY, vpn] });
    expect(innerOf(desired)).toMatchObject([{ id: namespaceId(PROXY), routes: ['10.2.0.2 via 10.1.0.1'] }]);
  });

  it('follow a container that starts again', () => {
    const again = { ...VPN, startedAt: '2026-05-05T00:00:00Z' };
    const { desired } = plan(FILE, { networks, containers: [again] });
    expect(innerOf(desired).map(({ id }) => id)).toEqual([namespaceId(again)]);
    expect(innerOf(plan(FILE, { networks }).desired)).toEqual([]);
  });

  it.each<readonly [string, Container, string]>([
    [
      "this host's network",
      container('vpn', { network: { kind: 'host' } }),
      'policies[1]: container "vpn" uses this host\'s network; write "where": "host", and the device as "iface"',
    ],
    [
      'no network',
      container('vpn'),
      'policies[1]: container "vpn" is in no network of IPv4 with a way to others; attach it to one',
    ],
  ])('cannot be in a container with %s', (_, vpn, sentence) => {
    expect(sentences(FILE, { networks, containers: [vpn] })).toEqual([sentence]);
  });

  it('have an effect by one family where the container has no other', () => {
    const policies = [{ name: 'vpn', nat: 'dnat', to: 'proxy', port: 80, proto: 'tcp' }];
    const { desired, problems } = plan({ ...FILE, policies }, { networks, containers: [PROXY, VPN] });
    expect(innerOf(desired).map(({ forwards }) => forwards)).toEqual([['* tcp 80 10.1.0.2 80']]);
    expect(problems).toMatchObject([
      {
        severity: 'warning',
        reason:
          'container "vpn" is in no network of IPv6 with a way to others, so its port leads there by IPv4 alone',
      },
    ]);
  });

  it('give containers of internal networks a way to each other', () => {
    const inside = { isInternal: true };
    const here = {
      networks: [
        { ...FRONT, ...inside },
        { ...BACK, ...inside },
      ],
      containers: [PROXY, WEB],
    };
    expect(innerOf(plan(FILE, here).desired)).toEqual([
      { id: namespaceId(PROXY), name: 'proxy', forwards: [], routes: ['10.2.0.2 via 10.1.0.1'] },
      { id: namespaceId(WEB), name: 'web_1', forwards: [], routes: ['10.1.0.2 via 10.2.0.1'] },
    ]);
  });

  it('give a container on several networks its way to the other, and to no prefix beside', () => {
    const both = { ...PROXY, networks: [...PROXY.networks, end('other', '10.9.0.6')] };
    const here = { networks, containers: [both, WEB] };
    expect(innerOf(plan(FILE, here).desired)).toEqual([
      { id: namespaceId(PROXY), name: 'proxy', forwards: [], routes: ['10.2.0.2 via 10.1.0.1'] },
    ]);
    const policies = [{ selector: 'proxy', from: '0.0.0.0/0', port: 80, proto: 'tcp' }];
    expect(innerOf(plan({ ...FILE, policies }, here).desired)).toEqual([]);
  });

  it('make no route into a network in which the container gets an address: Docker would not attach it', () => {
    const both = { ...PROXY, networks: [...PROXY.networks, end('other', '10.9.0.6')] };
    const here = { networks, containers: [both, WEB] };
    const ips = { ...FILE.ips, own: { ip: '10.2.0.9', container_name: 'proxy' } };
    const { desired } = plan({ ...FILE, ips, policies: FILE.policies.slice(0, 1) }, here);
    expect(attached(desired)).toEqual(['proxy in back_end with 10.2.0.9']);
    expect(innerOf(desired)).toEqual([]);
  });

  it("may name Docker's other networks", () => {
    const policies = [{ ...FILE.policies[0], from: 'oth-er' }];
    expect(permitted(plan({ ...FILE, policies }, { networks }).desired)).toEqual([
      '10.9.0.0/24 10.2.0.2 tcp 80-80',
    ]);
  });

  it('tell of a device that this host lacks', () => {
    expect(sentences(EXAMPLE, { devices: new Set(['eth0']) })).toContain(
      'policies[1].iface: this host has no device "wg0"; if a container has it, write "where": "container"',
    );
    expect(plan(EXAMPLE, { devices: new Set(['eth0']) }).desired.hostForwards).toHaveLength(1);
  });
});

/** What Docker has after the plan's steps were taken. */
function afterSteps(
  { networks: made, attachments }: DesiredNetworks,
  here: Required<Pick<Here, 'containers' | 'networks'>>,
) {
  const all = [...here.networks, ...made.map(({ name, subnets }) => network(name, [], { subnets }))];
  const containers = here.containers.map((one) => {
    const own = attachments.filter(({ containerId }) => containerId === one.id);
    const ends = own.map(({ network: name, addresses }) => end(name, ...addresses.map(formatPrefix)));
    return { ...one, networks: [...one.networks, ...ends] };
  });
  return { networks: all, containers };
}

describe('the steps of a plan', () => {
  it('are all that is needed', () => {
    const names = fc.uniqueArray(fc.constantFrom('web', 'w-eb', 'data_base', 'proxy-1', 'cache'));
    const present = fc.uniqueArray(fc.constantFrom('10.0.0.0/24', '10.0.1.0/25', '10.0.4.0/24'));
    fc.assert(
      fc.property(randomFile, names, present, (file, running, subnets) => {
        const here = {
          networks: subnets.map((text, index) => network(`present${index}`, [text])),
          containers: running.map((name) => container(name)),
        };
        const { desired } = plan(textOf(file), here);
        const after = plan(textOf(file), afterSteps(desired, here)).desired;
        expect([after.networks, after.attachments]).toEqual([[], []]);
        expect(permitted(after)).toEqual(expect.arrayContaining([...permitted(desired)]));
      }),
      { numRuns: 500 },
    );
  });
});
