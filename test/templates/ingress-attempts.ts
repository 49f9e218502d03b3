/**
 * Packets by which a caller that no rule names may try to reach a container that has ingress rules: what it sends, and
 * where from. Each is first seen to arrive without rules.
 */

/** One call of `test/escape/attack.py`. */
export interface Step {
  readonly method: string;
  readonly options: Readonly<Record<string, string | number>>;
}

export interface Address {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly linkLocal: string;
  readonly mac: string;
}

export interface Places {
  /** The container with the rules, and its open port. */
  readonly target: Address;
  readonly port: number;
  /** A caller that the rules let in to that port, and its gateway for the neighbour. */
  readonly friend: Address;
  readonly gateway: Address;
  readonly self: Address;
}

export interface Attempt {
  readonly name: string;
  readonly from: 'neighbour' | 'outside';
  readonly send: (places: Places) => readonly Step[];
  /** Why it arrives under rules too; without a reason it must not. */
  readonly openReason?: string;
}

type Fields = Step['options'];
const by =
  (method: string, fields: (places: Places) => Fields) =>
  (places: Places): readonly Step[] => [{ method, options: { port: places.port, ...fields(places) } }];

const FAMILIES = ['ipv4', 'ipv6'] as const;
const SOURCES = ['neighbour', 'outside'] as const;

/** The same from both places, in both families. */
const everywhere = (name: string, method: string, fields: Fields): readonly Attempt[] =>
  FAMILIES.flatMap((family) =>
    SOURCES.map((from) => ({
      name: `${name}, ${family}`,
      from,
      send: by(method, ({ target }) => ({ dst: target[family], ...fields })),
    })),
  );

const ordinary: readonly Attempt[] = [
  ...everywhere('a datagram', 'udp', {}),
  ...everywhere('a connection', 'tcp', {}),
  ...[20, 53, 443, 40_000].flatMap((sport) => [
    ...everywhere(`a datagram from port ${sport}`, 'udp', { sport }),
    ...everywhere(`the first packet of a connection from port ${sport}`, 'raw', { form: 'syn', sport }),
  ]),
  ...everywhere('text in the first packet of a connection', 'tcp', { fast: 1 }),
];

const withoutConnection: readonly Attempt[] = [
  ...['syn-ack', 'ack', 'rst'].flatMap((form) =>
    everywhere(`TCP ${form} without a connection`, 'raw', { form }),
  ),
  ...[0, 1, 41, 3].flatMap((flags) =>
    everywhere(`TCP flags ${flags} without a connection`, 'raw', { form: 'flags', flags }),
  ),
  ...everywhere("an answer to nothing, from a server's port", 'raw', { form: 'ack', sport: 443 }),
];

const fragments: readonly Attempt[] = [
  ...everywhere('fragments', 'raw', { form: 'pieces' }),
  // By IPv6 the kernel drops a first fragment without a whole header itself.
  ...SOURCES.flatMap((from): readonly Attempt[] => [
    {
      ...{ name: 'overlapping fragments', from },
      send: by('raw', ({ target, port }) => ({
        ...{ form: 'overlapping', dst: target.ipv4, decoy: port + 1, nodefrag: 1 },
      })),
    },
    {
      ...{ name: 'fragments, the first too small for its header', from },
      send: by('raw', ({ target }) => ({ form: 'tiny', dst: target.ipv4, nodefrag: 1 })),
    },
  ]),
];

const icmp: readonly Attempt[] = [
  ...everywhere('an echo request', 'raw', { form: 'echo' }),
  ...SOURCES.flatMap((from) => [
    ...[0, 5, 13, 17].map((type) => echo('ipv4', type, from)),
    ...[129, 130, 137, 139].map((type) => echo('ipv6', type, from)),
    ...FAMILIES.map((family) => ({
      ...{ name: `an error about a connection that is not, ${family}`, from },
      send: by('raw', ({ target, port }) => ({
        ...{ form: 'error', dst: target[family], peer: target[family], pport: port, sport: 4021 },
      })),
    })),
  ]),
];

function echo(family: 'ipv4' | 'ipv6', type: number, from: Attempt['from']): Attempt {
  const send = by('raw', ({ target }) => ({ form: 'echo', dst: target[family], type }));
  return { name: `ICMP of type ${type} without a request, ${family}`, from, send };
}

const protocols: readonly Attempt[] = [132, 136, 33, 47, 4, 41, 50, 253].flatMap((protocol) =>
  everywhere(`protocol ${protocol}`, 'protocol', { protocol }),
);

const onTheLink: readonly Attempt[] = [
  { name: 'multicast, 224.0.0.1', send: by('udp', () => ({ dst: '224.0.0.1' })) },
  { name: 'broadcast', send: by('udp', () => ({ dst: '255.255.255.255' })) },
  { name: 'broadcast of the network', send: by('udp', () => ({ dst: '172.29.1.255' })) },
  { name: 'multicast, ff02::1', send: by('udp', () => ({ dst: 'ff02::1%eth0' })) },
  { name: 'link-local, a datagram', send: by('udp', ({ target }) => ({ dst: `${target.linkLocal}%eth0` })) },
  {
    name: 'link-local, a connection',
    send: by('tcp', ({ target }) => ({ dst: `${target.linkLocal}%eth0` })),
  },
  {
    name: 'from 169.254.7.7',
    send: by('raw', ({ target }) => ({ form: 'udp', dst: target.ipv4, src: '169.254.7.7' })),
  },
].map((one): Attempt => ({ ...one, from: 'neighbour' }));

const frames: readonly Attempt[] = FAMILIES.flatMap((family) => {
  const framed = (fields: (places: Places) => Fields = () => ({})) =>
    by('frame', (places) => ({
      ...{ form: 'udp', dst: places.target[family], mac: places.target.mac, ...fields(places) },
    }));
  return [
    { name: `a frame, ${family}`, send: framed() },
    {
      name: `a frame with the host's MAC, ${family}`,
      send: framed(({ gateway }) => ({ hardware: gateway.mac })),
    },
    {
      name: `a frame with the host's MAC and address, ${family}`,
      send: framed(({ gateway }) => ({ hardware: gateway.mac, src: gateway[family] })),
    },
    {
      name: `a frame to the Ethernet broadcast address, ${family}`,
      send: framed(() => ({ mac: 'ff:ff:ff:ff:ff:ff' })),
    },
    { name: `a frame with a VLAN tag of no VLAN, ${family}`, send: framed(() => ({ tag: '81000000' })) },
  ].map((one): Attempt => ({ ...one, from: 'neighbour' }));
});

const FORGED = 'the address is that of a caller that is let in, and nothing in the packet tells otherwise';
const forged: readonly Attempt[] = FAMILIES.flatMap((family) =>
  SOURCES.map(
    (from): Attempt => ({
      ...{ name: `the address of a caller that is let in, ${family}`, from, openReason: FORGED },
      send: by('raw', ({ target, friend }) => ({ form: 'udp', dst: target[family], src: friend[family] })),
    }),
  ),
);

export const attempts: readonly Attempt[] = [
  ...[...ordinary, ...withoutConnection, ...fragments, ...icmp, ...protocols],
  ...[...onTheLink, ...frames, ...forged],
];
