/**
 * networks.json by itself: what each entry means, and the sentence for each thing that is wrong.
 */
import { describe, expect, it } from 'vitest';
import { checkNetworks } from '../../../../src/features/networks/check.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { EXAMPLE, EXAMPLE_TEXT } from '../../../support/networks-file.ts';

const check = (file: unknown) => {
  const checked = checkNetworks(typeof file === 'string' ? file : JSON.stringify(file, null, 2));
  if ('reason' in checked) throw new Error(checked.reason);
  return checked;
};

const sentences = (file: unknown) =>
  check(file).problems.map(({ severity, text, reason }) => `${severity}: ${text}: ${reason}`);

const reasonOf = (text: string) => {
  const checked = checkNetworks(text);
  return 'reason' in checked ? checked.reason : undefined;
};

const base = {
  networks: {
    backend: { subnet: '172.18.104.0/24', gateway: '172.18.104.1' },
    front: { subnet: ['172.18.105.0/24', 'fd00:105::/64'] },
  },
  ips: {
    web: { ip: '172.18.104.2', container_name: 'web-1', service_name: 'app' },
    proxy: { ip: ['172.18.105.2', 'fd00:105::2'], container_name: 'proxy', service_name: 'edge' },
  },
};

const PERMIT = { selector: 'web_1', from: 'proxy', port: 80, proto: 'tcp' };
const INNER = { name: 'vpn', nat: 'dnat', to: 'web1', port: 8080, to_port: 80, proto: 'tcp' };

const permitsOf = (file: unknown) =>
  check(file).resolved.permits.map(
    ({ from, to, protocol, range, origin }) =>
      `${formatPrefix(from)} ${formatPrefix(to)} ${protocol} ${range.first}-${range.last} ${origin.path}`,
  );

describe("network-go's own example", () => {
  it('says what does not resolve in it, and where its device is', () => {
    expect(sentences(EXAMPLE)).toEqual([
      'error: policies[0].from: "publicbackend" is neither an entry of ips, a network nor an address; add it, or write an address',
      'warning: policies[1].iface: names a device beside the container "wireguardproxy", and counts as the device wg0 of this host; write "where": "host" or "where": "container"',
    ]);
  });

  it('has each problem at its line', () => {
    const lines = EXAMPLE_TEXT.split('\n');
    expect(check(EXAMPLE_TEXT).problems.map(({ line = 0 }) => lines[line - 1]?.trim())).toEqual([
      '"from": "publicbackend",',
      '"iface": "wg0",',
    ]);
  });

  it('has two networks, two addresses, and a port of the host that leads to a container', () => {
    const { file, resolved } = check(EXAMPLE);
    expect(file.networks.map(({ name }) => name)).toEqual(['smarthost-loadbalancer', 'smarthost_backend-1']);
    expect(file.addresses.map(({ addresses }) => addresses.map(formatPrefix))).toEqual([
      ['172.18.103.2'],
      ['172.18.104.2'],
    ]);
    expect(resolved.hostForwards.map(({ device, port, to }) => [device, port, formatPrefix(to)])).toEqual([
      ['wg0', 80, '172.18.103.2'],
    ]);
  });

  it('leads a port inside the container with "where": "container"', () => {
    const policies = EXAMPLE.policies.map((one) => ('nat' in one ? { ...one, where: 'container' } : one));
    const { resolved } = check({ ...EXAMPLE, policies });
    expect(resolved.hostForwards).toEqual([]);
    expect(resolved.containerForwards.map(({ inside, device, port }) => [inside, device, port])).toEqual([
      ['wireguardproxy', 'wg0', 80],
    ]);
  });
});

describe('names', () => {
  it('compare exactly, but for - and _', () => {
    const permits = (selector: string) => permitsOf({ ...base, policies: [{ ...PERMIT, selector }] });
    const one = ['172.18.105.2 172.18.104.2 tcp 80-80 policies[0]'];
    for (const same of ['web-1', 'web1', 'w_e_b-1']) expect(permits(same)).toEqual(one);
    for (const other of ['web', 'web-11', 'Web-1', 'web.1']) expect(permits(other)).toEqual([]);
  });

  it('stand for an entry, a service, a network, an address or a prefix', () => {
    const from = (text: string) => permitsOf({ ...base, policies: [{ ...PERMIT, from: text }] });
    const sources = { edge: '172.18.105.2', front: '172.18.105.0/24', '192.0.2.7': '192.0.2.7' };
    for (const [text, source] of Object.entries({ ...sources, '192.0.2.0/24': '192.0.2.0/24' }))
      expect(from(text)).toEqual([`${source} 172.18.104.2 tcp 80-80 policies[0]`]);
  });

  it('of the target are a selector, a container, a service or "to"', () => {
    const names = [{ selector: 'web1' }, { container_name: 'web1' }, { service_name: 'app' }, { to: 'web1' }];
    for (const one of [...names, { to: '172.18.104.2' }, { selector: 'web_1', container_name: 'web-1' }])
      expect(permitsOf({ ...base, policies: [{ from: 'proxy', port: '80', proto: 'tcp', ...one }] })).toEqual(
        ['172.18.105.2 172.18.104.2 tcp 80-80 policies[0]'],
      );
  });

  it('join both families', () => {
    const policy = { to: 'proxy', from: 'fd00::/8', port: '1-65535', proto: 'udp' };
    expect(permitsOf({ ...base, policies: [policy] })).toEqual([
      'fd00::/8 fd00:105::2 udp 1-65535 policies[0]',
    ]);
  });
});

describe('a sentence', () => {
  const network = (fields: object) => ({ ...base, networks: { ...base.networks, backend: fields } });
  const ip = (fields: object) => ({ ...base, ips: { ...base.ips, 'a.b': fields } });
  const policy = (fields: object) => ({ ...base, policies: [fields] });
  const subnet = '172.18.104.0/24';

  it.each([
    [
      network({ subnet: '172.18.104.1/24' }),
      'error: networks.backend.subnet: expected a prefix as 172.18.104.0/24, got "172.18.104.1/24"; write 172.18.104.0/24',
    ],
    [
      network({}),
      'error: networks.backend.subnet: is missing; expected a prefix as 172.18.104.0/24 as text, or a list of such texts',
    ],
    [
      network({ subnet: 7 }),
      'error: networks.backend.subnet: expected a prefix as 172.18.104.0/24 as text, or a list of such texts, got 7',
    ],
    [
      network({ subnet: '172.18.104.0' }),
      'error: networks.backend.subnet: "172.18.104.0" has no room for a gateway and a container; write a shorter length',
    ],
    [
      network({ subnet: '172.18.104.0/33' }),
      'error: networks.backend.subnet: expected a prefix length 0-32 after "/", got "33"',
    ],
    [
      network({ subnet: [subnet, '10.0.0.0/8'] }),
      'error: networks.backend.subnet: has two prefixes of one family; write one of IPv4, one of IPv6, or one of each',
    ],
    [
      network({ subnet, gateway: '172.18.9.1' }),
      'error: networks.backend.gateway: 172.18.9.1 is not in the subnet 172.18.104.0/24',
    ],
    [
      network({ subnet, gateway: '172.18.104.0' }),
      'error: networks.backend.gateway: 172.18.104.0 cannot be the address of a host in 172.18.104.0/24',
    ],
    [
      network({ subnet, gateway: '172.18.104.1/24' }),
      'error: networks.backend.gateway: expected an address without a length, got "172.18.104.1/24"',
    ],
    [
      network({ subnet, network_name: 'a b' }),
      'error: networks.backend.network_name: Docker takes no network named "a b"; write letters, digits, "_", "." and "-"',
    ],
    [
      network({ subnet, network_name: 'host' }),
      'error: networks.backend: "host" is a network of Docker\'s own; write another name',
    ],
    [
      network({ subnet, gatway: '172.18.104.1' }),
      'error: networks.backend.gatway: is no field of such an entry; did you mean "gateway"? The entry has no effect meanwhile',
    ],
    [
      network({ subnet, comment: 'x' }),
      'warning: networks.backend.comment: is no field of such an entry, and has no effect; remove it',
    ],
    [
      network({ subnet: '172.18.105.128/25' }),
      'error: networks.front.subnet: 172.18.105.0/24 overlaps 172.18.105.128/25 of networks.backend; write another prefix',
    ],
    [
      network({ subnet, network_name: 'front' }),
      'error: networks.front: is the network "front" of networks.backend again; remove one',
    ],
    [
      ip({ ip: '172.18.104.2', container_name: 'x' }),
      'error: ips["a.b"].ip: 172.18.104.2 is the address of ips.web already; write another one',
    ],
    [
      ip({ ip: '172.18.104.1', container_name: 'x' }),
      'error: ips["a.b"].ip: 172.18.104.1 is the gateway of networks.backend; write another address',
    ],
    [
      ip({ ip: '172.18.104.255', container_name: 'x' }),
      'error: ips["a.b"].ip: 172.18.104.255 cannot be the address of a container in 172.18.104.0/24',
    ],
    [
      ip({ ip: '172.18.104.9', container_name: 'web1' }),
      'error: ips["a.b"].ip: "web1" has an address of IPv4 in networks.backend by ips.web already; remove one',
    ],
    [
      ip({ ip: '10.1.1.1', container_name: 'x' }),
      'warning: ips["a.b"].ip: 10.1.1.1 is in no subnet of this file; Docker must have a network with it, or add it to networks',
    ],
    [ip({ ip: '172.18.104.9' }), 'error: ips["a.b"]: names no container; write "container_name"'],
    [
      ip({ container_name: 'x' }),
      'error: ips["a.b"]: "ip" is missing; expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got "a.b"',
    ],
    [
      policy({ ...PERMIT, port: 0 }),
      'error: policies[0].port: expected a port from 1 to 65535, or a range as "8000-8010", got 0',
    ],
    [
      policy({ ...PERMIT, port: '9-8' }),
      'error: policies[0].port: expected a port from 1 to 65535, or a range as "8000-8010", got "9-8"',
    ],
    [
      policy({ ...PERMIT, proto: 'TCP' }),
      'error: policies[0].proto: expected "tcp", "udp" or "sctp", got "TCP"',
    ],
    [
      policy({ ...PERMIT, proto: undefined }),
      'error: policies[0].proto: is missing; expected "tcp", "udp" or "sctp"',
    ],
    [
      policy({ ...PERMIT, from: 'prxy' }),
      'error: policies[0].from: "prxy" is neither an entry of ips, a network nor an address; did you mean "proxy"?',
    ],
    [
      policy({ ...PERMIT, from: '10.0.0.1/8' }),
      'error: policies[0].from: expected a prefix, got "10.0.0.1/8"; write 10.0.0.0/8',
    ],
    [
      policy({ ...PERMIT, from: 'fd00::1' }),
      'error: policies[0].from: has addresses of IPv6 only, and the target of IPv4; add an address to one of them',
    ],
    [
      policy({ ...PERMIT, selector: 'wb1' }),
      'error: policies[0]: selector "wb1" is no entry of ips; did you mean "web-1"?',
    ],
    [
      policy({ ...PERMIT, container_name: 'proxy' }),
      'error: policies[0]: selector "web_1" and container_name "proxy" are different entries of ips; remove one',
    ],
    [
      policy({ from: 'proxy', port: 80, proto: 'tcp' }),
      'error: policies[0]: names no target; write "to", "selector", "container_name" or "service_name"',
    ],
    [
      policy({ ...PERMIT, nat: 'dnat' }),
      'error: policies[0]: has both "from" and "nat"; write two policies, one with each',
    ],
    [
      policy({ ...PERMIT, iface: 'eth0' }),
      'warning: policies[0].iface: has no effect beside "from"; it belongs to "nat": "dnat"',
    ],
    [
      policy({ to: 'web1', port: 80, proto: 'tcp' }),
      'error: policies[0]: has neither "from" (who may reach the target) nor "nat": "dnat" (where a port leads); write one of them',
    ],
    [policy({ ...INNER, nat: 'snat' }), 'error: policies[0].nat: expected "dnat", got "snat"'],
    [
      policy({ ...INNER, port: '1-2' }),
      'error: policies[0].port: leads from one port to one; write a policy for each port, not "1-2"',
    ],
    [
      policy({ ...INNER, where: 'host' }),
      'error: policies[0].iface: is missing; write the device of this host',
    ],
    [
      policy({ ...INNER, iface: 'a/b' }),
      'error: policies[0].iface: "a/b" is no name of a device; write one as wg0',
    ],
    [
      policy({ ...INNER, name: 'web_1' }),
      'error: policies[0]: leads from "web_1" to itself; write "name" or "to"',
    ],
    [
      policy({ ...INNER, to: 'front' }),
      'error: policies[0].to: is the network 172.18.105.0/24, and a port leads to one address; name a container',
    ],
    [
      policy({ ...INNER, name: undefined }),
      'error: policies[0]: names neither a device of this host ("iface") nor the container in which the port leads to another ("name"); write one of them',
    ],
    [
      policy({ formatted: 1 }),
      'warning: policies[0].formatted: is no field of such an entry, and has no effect; remove it',
    ],
    [
      { ...base, polices: [] },
      'error: polices: is no part of this file, and has no effect; did you mean "policies"?',
    ],
    [{ ...base, policies: {} }, 'error: policies: expected a list of policies, got an object'],
    [{ networks: ['x'] }, 'error: networks: expected an object of networks by name, got the list ["x"]'],
    [{ ips: { a: 'b' } }, 'error: ips.a: expected an object, got "b"'],
  ])('tells what is wrong %#', (file, sentence) => {
    expect(sentences(file)).toContain(sentence);
  });

  it('names a member that stands twice', () => {
    expect(
      sentences('{"ips": {}, "networks": {"a": {"subnet": "10.0.0.0/24", "subnet": "10.1.0.0/24"}}}'),
    ).toEqual([
      'error: networks.a.subnet: stands twice in its object, and the last one counts; rename or remove one',
    ]);
  });

  it('says of two policies for one port which one counts', () => {
    const policies = [INNER, INNER, { ...INNER, to: 'proxy' }];
    expect(sentences({ ...base, policies })).toEqual([
      'warning: policies[1]: says the same as policies[0]; remove one',
      'error: policies[2]: leads tcp/8080 to 172.18.105.2, and policies[0] leads it to 172.18.104.2 already, which counts; remove one',
    ]);
  });

  it('says that a name is of a container and of a network', () => {
    const ips = { ...base.ips, x: { ip: '172.18.105.9', container_name: 'back-end' } };
    const policies = [{ ...PERMIT, from: 'backend' }];
    expect(sentences({ ...base, ips, policies })).toEqual([
      'warning: policies[0].from: "backend" is the name of a network too, and stands for the container here; write the subnet to mean the network',
    ]);
  });

  it('holds no text that a terminal would obey', () => {
    const evil = '\u001b[2J\nx';
    const file = { networks: { [evil]: { subnet: evil, [evil]: 1 } }, policies: [{ ...PERMIT, from: evil }] };
    for (const sentence of sentences(file)) expect(sentence).not.toMatch(/\p{C}/u);
  });
});

describe('a large file', () => {
  const names = Array.from({ length: 101 }, (_, at) => `c${at}`);
  const ips = Object.fromEntries(
    names.map((name, at) => [name, { ip: `10.0.0.${at + 2}`, container_name: name, service_name: 'all' }]),
  );
  const networks = { one: { subnet: '10.0.0.0/16' } };

  it('permits no more pairs of addresses than the host can compare', () => {
    const policies = [
      { from: 'all', service_name: 'all', port: 80, proto: 'tcp' },
      { from: '10.9.0.0/16', service_name: 'all', port: 80, proto: 'tcp' },
    ];
    expect(sentences({ networks, ips, policies })).toEqual([
      'error: policies[0]: permits 10201 pairs of addresses, and all policies together may permit 10000; write prefixes instead of names',
    ]);
    expect(permitsOf({ networks, ips, policies })).toHaveLength(101);
  });

  it('lists its first thousand problems', () => {
    const policies = Array(2_000).fill({ to: 'a' });
    const all = sentences({ policies });
    expect(all).toHaveLength(1_001);
    expect(all.at(-1)).toBe(
      'error: the rest of the file: 3000 more problems are not listed; correct the others first',
    );
  });

  it('names some of many addresses', () => {
    const policy = { nat: 'dnat', iface: 'eth0', service_name: 'all', port: 1, proto: 'tcp' };
    const [sentence] = sentences({ networks, ips, policies: [policy] });
    expect(sentence).toContain('10.0.0.9, 93 more)');
  });
});

describe('an empty text', () => {
  it('is as an absent field, as programs may write it', () => {
    const empty = { iface: '', nat: '', to: '', name: '', where: '', service_name: '' };
    expect(permitsOf({ ...base, policies: [{ ...PERMIT, ...empty }] })).toHaveLength(1);
    expect(sentences({ ...base, policies: [{ ...PERMIT, ...empty }] })).toEqual([]);
  });
});

describe('a text that is no file of networks', () => {
  it.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['[]', 'has an empty list where an object with networks, ips and policies must be'],
    ['"x"', 'has "x" where an object with networks, ips and policies must be'],
    ['null', 'has null where an object with networks, ips and policies must be'],
    ['{"a": 1,}', 'is not JSON from line 1, column 9 on'],
    ['{\n  // x\n}', 'is not JSON from line 2, column 3 on'],
    ['{\n "networks": {', 'ends in the middle (line 2, column 15), as a file that is half written'],
    ['{}{}', 'is not JSON from line 1, column 3 on'],
    ['[{'.repeat(20_000), 'has more than 100 objects and lists within each other'],
    ['x'.repeat(5_000_000), 'has more than 4 MiB'],
    [`[${'1,'.repeat(300_000)}1]`, 'has more than 250000 values'],
    [`{"policies": [${'{},'.repeat(100_000)}{}]}`, 'has 100001 policies, and at most 10000 are read'],
    [JSON.stringify({ ips: Array(5_001).fill({}) }), 'has 5001 ips, and at most 5000 are read'],
    [JSON.stringify({ networks: Array(1_001).fill({}) }), 'has 1001 networks, and at most 1000 are read'],
  ])('says so %#', (text, reason) => {
    expect(reasonOf(text)).toBe(reason);
  });

  it('is every beginning of a file', () => {
    const whole = EXAMPLE_TEXT.trimEnd();
    for (let length = 0; length < whole.length; length++)
      expect(reasonOf(whole.slice(0, length)), `${length} characters`).toMatch(
        /^(is empty|ends in the middle)/,
      );
    expect(reasonOf(whole)).toBeUndefined();
  });

  it('is not one that begins with a byte order mark', () => {
    expect(reasonOf(`\ufeff${EXAMPLE_TEXT}`)).toBeUndefined();
  });
});
