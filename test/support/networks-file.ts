/** Files of networks: the example of network-go, and random ones. */
import fc from 'fast-check';

/** As its documents have it. */
export const EXAMPLE = {
  networks: {
    'smarthost-loadbalancer': {
      network_name: 'smarthost-loadbalancer',
      subnet: '172.18.103.0/24',
      gateway: '172.18.103.1',
    },
    'smarthost_backend-1': {
      network_name: 'smarthost_backend-1',
      subnet: '172.18.104.0/24',
      gateway: '172.18.104.1',
    },
  },
  ips: {
    '172.18.103.2': {
      ip: '172.18.103.2',
      container_name: 'smarthostloadbalancer',
      selector: 'smarthostloadbalancer',
      service_name: 'smarthost-proxy',
    },
    '172.18.104.2': {
      ip: '172.18.104.2',
      container_name: 'smarthostbackend-1',
      selector: 'smarthostbackend-1',
      service_name: 'smarthost-proxy',
    },
  },
  policies: [
    {
      service_name: 'smarthost-proxy',
      container_name: 'smarthost_loadbalancer',
      selector: 'smarthostloadbalancer',
      from: 'publicbackend',
      port: 80,
      proto: 'tcp',
    },
    {
      service_name: 'smarthost-proxy',
      container_name: 'smarthost_loadbalancer',
      selector: 'smarthostloadbalancer',
      name: 'wireguardproxy',
      iface: 'wg0',
      nat: 'dnat',
      to: 'smarthostloadbalancer',
      port: 80,
      proto: 'tcp',
    },
  ],
} as const;

export const EXAMPLE_TEXT = `${JSON.stringify(EXAMPLE, null, 2)}\n`;

export interface RandomNetwork {
  readonly name: string;
  readonly third: number;
}

export interface RandomFile {
  readonly networks: readonly RandomNetwork[];
  readonly ips: readonly {
    readonly ip: string;
    readonly container_name: string;
    readonly selector?: string;
    readonly service_name?: string;
  }[];
  readonly policies: readonly Readonly<Record<string, unknown>>[];
}

/** Names that differ in `-` and `_` alone are the same name. */
const NAMES = ['web', 'w-eb', 'data_base', 'database', 'proxy-1', 'proxy_1', 'proxy1', 'cache', 'nobody'];

const name = fc.constantFrom(...NAMES);

const address = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 6 }))
  .map(([third, last]) => `10.0.${third}.${last}`);

const end = fc.oneof(
  name,
  address,
  fc.constantFrom('net-0', 'net_1', 'net2', '10.0.0.0/23', '10.0.0.0/8', '10.0.0.1/8', '::/0', 'fd00::1'),
);

const optional = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined, freq: 2 });

const anyPolicy = fc.record({
  service_name: optional(fc.constantFrom('front', 'back-end', 'backend', 'none')),
  container_name: optional(name),
  selector: optional(name),
  from: optional(end),
  nat: optional(fc.constant('dnat')),
  iface: optional(fc.constantFrom('eth0', 'wg0')),
  name: optional(name),
  where: optional(fc.constantFrom('host', 'container')),
  to: optional(end),
  port: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('2-3', '80', '3-2', '1-x')),
  proto: fc.constantFrom('tcp', 'udp', 'TCP'),
});

const permit = fc.record({
  from: end,
  selector: name,
  port: fc.constantFrom(1, 2, '2-3'),
  proto: fc.constantFrom('tcp', 'udp'),
});

const forward = fc.record({
  nat: fc.constant('dnat'),
  iface: optional(fc.constantFrom('eth0', 'wg0')),
  name: optional(fc.constantFrom('nobody', 'proxy_1', 'proxy1')),
  where: optional(fc.constantFrom('host', 'container')),
  to: fc.oneof(name, address),
  port: fc.constantFrom(1, 2),
  proto: fc.constant('tcp'),
});

const policy = fc.oneof(anyPolicy, permit, { arbitrary: forward, weight: 2 });

const networks = fc.record({
  name: fc.constantFrom('net-0', 'net_0', 'net1', 'net2'),
  third: fc.integer({ min: 0, max: 3 }),
});

const entry = fc.record(
  {
    ip: address,
    container_name: name,
    selector: name,
    service_name: fc.constantFrom('front', 'back-end', 'backend'),
  },
  { requiredKeys: ['ip', 'container_name'] },
);

/** Small, so that entries meet each other often. Some of it is wrong. */
const anyFile: fc.Arbitrary<RandomFile> = fc.record({
  networks: fc.array(networks, { maxLength: 4 }),
  ips: fc.array(entry, { maxLength: 6 }),
  policies: fc.array(policy, { maxLength: 8 }),
});

/** Most of it counts: more networks and addresses, each container once, and policies between those. */
const fullFile: fc.Arbitrary<RandomFile> = fc
  .record({
    networks: fc.array(networks, { minLength: 5, maxLength: 8 }),
    ips: fc.uniqueArray(
      fc.record({
        ip: fc
          .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 2, max: 6 }))
          .map(([third, last]) => `10.0.${third}.${last}`),
        container_name: name,
      }),
      {
        minLength: 6,
        maxLength: 10,
        selector: ({ ip, container_name }) => `${ip.slice(0, 6)} ${container_name}`,
      },
    ),
    choices: fc.array(fc.tuple(fc.nat(), fc.nat(), policy), { minLength: 4, maxLength: 8 }),
  })
  .map(({ networks: all, ips, choices }) => ({
    ...{ networks: all, ips },
    policies: choices.map(([one, other, policyOf]) => between(ips, one, other, policyOf)),
  }));

/** The policy, with two of these as its ends where it has ends. */
function between(
  ips: RandomFile['ips'],
  one: number,
  other: number,
  given: Readonly<Record<string, unknown>>,
): RandomFile['policies'][number] {
  const [from, to] = [ips[one % ips.length], ips[other % ips.length]];
  const { selector: _, ...rest } = given;
  const target = other % 2 === 0 ? to?.container_name : to?.ip;
  return 'nat' in given && given.nat !== undefined
    ? { ...given, to: target }
    : { ...rest, from: one % 2 === 0 ? from?.container_name : from?.ip, to: target };
}

export const randomFile: fc.Arbitrary<RandomFile> = fc.oneof(anyFile, fullFile);

/** The text of a random file; entries are named by their position. */
export const textOf = ({ networks, ips, policies }: RandomFile): string =>
  JSON.stringify(
    {
      networks: Object.fromEntries(
        networks.map(({ name: network_name, third }, index) => [
          `n${index}`,
          { network_name, subnet: `10.0.${third}.0/24`, gateway: `10.0.${third}.1` },
        ]),
      ),
      ips: Object.fromEntries(ips.map((one, index) => [`i${index}`, one])),
      policies,
    },
    null,
    1,
  );
