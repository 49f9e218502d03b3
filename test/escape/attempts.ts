/**
 * The attempts that need nothing but packets: what a program under rules sends, and who would hear it.
 */
import { type Host, LINK_LOCAL, type ListeningPlace, METADATA4, METADATA6, type Places } from './testbed.ts';

/** What `attack.py` or `sockets.pl` is to do; `text` and `src` are added. */
export interface Shot {
  readonly way: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

export interface Setup extends Places {
  readonly self: Host;
  /** The mark of flows that were admitted, as the attacker found it out. */
  readonly mark: number;
}

export interface Attempt {
  readonly name: string;
  readonly send: (setup: Setup) => readonly Shot[];
  /** Default: `held`. */
  readonly by?: 'held' | 'wide';
  /** Default: `denied`. */
  readonly heardBy?: ListeningPlace;
  /** Why it gets through under rules as well, or why it cannot be tried. Neither: it must be stopped. */
  readonly open?: string;
  readonly notApplicable?: string;
}

const shot =
  (way: string) =>
  (fields: Shot['fields']): Shot => ({ way, fields });
const [udp, tcp, raw, protocol] = [shot('udp'), shot('tcp'), shot('raw'), shot('protocol')];
const [frame, cooked] = [shot('frame'), shot('cooked')];
const [ring, ancient, xdp] = [shot('ring'), shot('ancient'), shot('xdp')];

const one =
  (way: (fields: Shot['fields']) => Shot, fields: (setup: Setup) => Shot['fields']): Attempt['send'] =>
  (setup) => [way(fields(setup))];

const to4 =
  (fields: Shot['fields'] = {}) =>
  ({ denied }: Setup) => ({ dst: denied.ipv4, ...fields });
const to6 =
  (fields: Shot['fields'] = {}) =>
  ({ denied }: Setup) => ({ dst: denied.ipv6, ...fields });
/** A datagram in a frame of its own. */
const framed4 =
  (fields: Shot['fields'] = {}) =>
  ({ denied }: Setup) => ({ form: 'udp', dst: denied.ipv4, mac: denied.mac, ...fields });
const framed6 =
  (fields: Shot['fields'] = {}) =>
  ({ denied }: Setup) => ({ form: 'udp', dst: denied.ipv6, mac: denied.mac, ...fields });

const ordinary: readonly Attempt[] = [
  { name: 'TCP, IPv4', send: one(tcp, to4()) },
  { name: 'UDP, IPv4', send: one(udp, to4()) },
  {
    name: 'TCP, IPv6, where IPv4 was granted',
    send: one(tcp, ({ router }) => ({ dst: router.ipv6 })),
    heardBy: 'router',
  },
  {
    name: 'UDP, IPv6, where IPv4 was granted',
    send: one(udp, ({ router }) => ({ dst: router.ipv6 })),
    heardBy: 'router',
  },
  {
    name: 'another port of a granted host',
    send: one(udp, ({ router }) => ({ dst: router.ipv4, port: 81 })),
    heardBy: 'router',
  },
  { name: 'UDP of a socket that is bound to the device', send: one(udp, to4({ device: 'eth0' })) },
  {
    name: 'UDP of a socket that is bound to lo',
    send: one(udp, to4({ device: 'lo' })),
    notApplicable: 'what leaves by lo comes back by lo, with and without rules',
  },
  { name: 'TCP with data in the SYN (fast open)', send: one(tcp, to4({ fast: 1 })) },
  { name: 'DNS to a foreign resolver, UDP', send: one(udp, to4({ port: 53 })) },
  { name: 'DNS to a foreign resolver, TCP', send: one(tcp, to4({ port: 53 })) },
  {
    name: 'a port that this machine publishes',
    send: one(tcp, ({ gateway, published }) => ({ dst: gateway, port: published })),
  },
  {
    name: 'the metadata address under 0.0.0.0/0, TCP',
    send: one(tcp, () => ({ dst: METADATA4 })),
    by: 'wide',
  },
  {
    name: 'the metadata address under 0.0.0.0/0, UDP',
    send: one(udp, () => ({ dst: METADATA4 })),
    by: 'wide',
  },
  { name: 'the metadata address under ::/0', send: one(tcp, () => ({ dst: METADATA6 })), by: 'wide' },
];

const onTheLink: readonly Attempt[] = [
  { name: 'link-local, IPv4', send: one(udp, () => ({ dst: LINK_LOCAL })) },
  { name: 'link-local, IPv6', send: one(udp, ({ denied }) => ({ dst: `${denied.linkLocal}%eth0` })) },
  { name: 'multicast, IPv4, 224.0.0.1', send: one(udp, () => ({ dst: '224.0.0.1' })) },
  { name: 'multicast, IPv4, 239.1.2.3', send: one(udp, () => ({ dst: '239.1.2.3' })) },
  { name: 'multicast, IPv6', send: one(udp, () => ({ dst: 'ff02::1%eth0' })) },
  { name: 'group reports (IGMP) with text', send: one(raw, () => ({ form: 'report', dst: '224.0.0.1' })) },
  { name: 'broadcast', send: one(udp, () => ({ dst: '255.255.255.255' })) },
];

const frames: readonly Attempt[] = [
  { name: 'AF_PACKET, IPv4', send: one(frame, framed4()) },
  { name: 'AF_PACKET, IPv6', send: one(frame, framed6()) },
  { name: 'AF_PACKET, IPv4, past the queue', send: one(frame, framed4({ bypass: 1 })) },
  { name: 'AF_PACKET, IPv6, past the queue', send: one(frame, framed6({ bypass: 1 })) },
  { name: 'AF_PACKET with a guessed SO_MARK', send: one(frame, framed4({ mark: 1 })) },
  {
    name: 'AF_PACKET with the generation as SO_MARK',
    send: (setup) => [frame(framed4({ mark: setup.mark })(setup))],
  },
  {
    name: 'AF_PACKET to the Ethernet broadcast address',
    send: one(frame, framed4({ mac: 'ff:ff:ff:ff:ff:ff' })),
  },
  { name: 'AF_PACKET, IPv4 that is declared to be ARP', send: one(frame, framed4({ declared: '0x806' })) },
  { name: 'AF_PACKET with a VLAN tag', send: one(frame, framed4({ tag: '81000000' })) },
  { name: 'AF_PACKET, SOCK_DGRAM', send: one(cooked, framed4()) },
  { name: 'AF_PACKET through a shared ring', send: one(ring, framed4()) },
  { name: 'SOCK_PACKET of Linux 2.0', send: one(ancient, framed4()) },
  {
    name: 'ARP with text in it',
    send: one(frame, framed4({ form: 'arp', ethertype: '0x806', mac: 'ff:ff:ff:ff:ff:ff' })),
    open: 'reaches neighbours on the same link, no further',
  },
];

const rawSockets: readonly Attempt[] = [
  { name: 'raw IPv4 (IPPROTO_RAW)', send: one(raw, to4({ form: 'udp' })) },
  { name: 'raw IPv6 (IPPROTO_RAW)', send: one(raw, to6({ form: 'udp' })) },
  {
    name: 'raw IPv4 with the generation as SO_MARK',
    send: (setup) => [raw(to4({ form: 'udp', mark: setup.mark })(setup))],
  },
  { name: 'UDP with the generation as SO_MARK', send: (setup) => [udp(to4({ mark: setup.mark })(setup))] },
  { name: 'UDP with a guessed SO_MARK', send: one(udp, to4({ mark: 1 })) },
  { name: 'raw TCP: SYN with text', send: one(raw, to4({ form: 'syn' })) },
  { name: "raw TCP: SYN-ACK with text, to nobody's SYN", send: one(raw, to4({ form: 'syn-ack' })) },
  { name: 'raw TCP: ACK with text, of no connection', send: one(raw, to4({ form: 'ack' })) },
  {
    name: 'raw IPv4 that is routed to a granted host',
    send: one(raw, (setup) => ({ ...to4({ form: 'udp' })(setup), via: setup.router.ipv4 })),
  },
  ...[
    ['SCTP', 132],
    ['UDP-Lite', 136],
    ['DCCP', 33],
    ['GRE', 47],
    ['IP in IP', 4],
    ['IPv6 in IPv4', 41],
    ['ESP', 50],
    ['protocol 253', 253],
  ].map(
    ([name, number]): Attempt => ({
      name: `${name}, IPv4`,
      send: one(protocol, to4({ protocol: number ?? 0 })),
    }),
  ),
  { name: 'SCTP, IPv6', send: one(protocol, to6({ protocol: 132 })) },
  { name: 'protocol 253, IPv6', send: one(protocol, to6({ protocol: 253 })) },
];

const fragments: readonly Attempt[] = [
  { name: 'fragments, IPv4', send: one(raw, to4({ form: 'pieces' })) },
  { name: 'fragments, IPv4, IP_NODEFRAG', send: one(raw, to4({ form: 'pieces', nodefrag: 1 })) },
  {
    name: 'fragments, the first too small for its header',
    send: one(raw, to4({ form: 'tiny', nodefrag: 1 })),
  },
  { name: 'fragments, IPv6', send: one(raw, to6({ form: 'pieces' })) },
];

/** For a link with no bridge in between: Docker's puts fragments together, and drops those it cannot. */
export const unbridged: readonly Attempt[] = [
  { name: 'fragments, IPv6, the header hidden in the second', send: one(raw, to6({ form: 'hidden' })) },
  { name: 'fragments, the first missing', send: one(raw, to4({ form: 'tail', nodefrag: 1 })) },
  {
    name: 'fragments that overlap, to another port of a granted host',
    send: one(raw, ({ router }) => ({
      form: 'overlapping',
      dst: router.ipv4,
      decoy: 80,
      port: 81,
      nodefrag: 1,
    })),
    heardBy: 'router',
  },
];

const icmp: readonly Attempt[] = [
  { name: 'ICMP echo with text', send: one(raw, to4({ form: 'echo' })) },
  { name: 'ICMPv6 echo with text', send: one(raw, to6({ form: 'echo' })) },
  { name: 'ICMP echo reply that nobody asked for', send: one(raw, to4({ form: 'echo', type: 0 })) },
  { name: 'ICMPv6 echo reply that nobody asked for', send: one(raw, to6({ form: 'echo', type: 129 })) },
  { name: 'ICMP timestamp request with text', send: one(raw, to4({ form: 'echo', type: 13 })) },
  { name: 'a forged ICMP error about a granted flow', send: forgedError('ipv4') },
  { name: 'a forged ICMPv6 error about a granted flow', send: forgedError('ipv6'), by: 'wide' },
  ...['solicit', 'advert', 'router-solicit'].map(
    (form): Attempt => ({
      name: `neighbour discovery off the link (${form})`,
      send: one(raw, ({ beyond }) => ({ form, dst: beyond.ipv6, hops: 255 })),
      heardBy: 'beyond',
    }),
  ),
  {
    name: 'neighbour discovery with text, on the link',
    send: one(raw, to6({ form: 'solicit', hops: 255 })),
    open: 'reaches neighbours on the same link, no further',
  },
];

/** Admits a flow to `router`, and then sends to `denied` an error about it. */
function forgedError(family: 'ipv4' | 'ipv6'): Attempt['send'] {
  return ({ router, denied }) => [
    udp({ dst: router[family], sport: 4020, port: 80, quiet: 1 }),
    raw({ form: 'error', dst: denied[family], peer: router[family], pport: 80, sport: 4020 }),
  ];
}

const lies: readonly Attempt[] = [
  {
    name: 'a false source, raw IPv4',
    send: one(raw, (setup) => ({ ...to4({ form: 'udp' })(setup), src: setup.router.ipv4 })),
  },
  {
    name: 'a false source, raw IPv6',
    send: one(raw, (setup) => ({ ...to6({ form: 'udp' })(setup), src: setup.router.ipv6 })),
  },
  {
    name: 'a false source, IP_TRANSPARENT',
    send: one(udp, (setup) => ({ ...to4()(setup), source: setup.router.ipv4 })),
  },
  {
    name: 'a false source to a granted host',
    send: one(raw, ({ router, denied }) => ({ form: 'udp', dst: router.ipv4, src: denied.ipv4 })),
    heardBy: 'router',
  },
  { name: 'an "answer" to a false packet to itself, IPv4', send: turned('ipv4') },
  { name: 'an "answer" to a false packet to itself, IPv6', send: turned('ipv6') },
  {
    name: 'an "answer" to a false packet to itself by broadcast',
    send: ({ self, denied }) => [
      raw({
        form: 'udp',
        src: denied.ipv4,
        sport: 80,
        dst: self.ipv4,
        port: 4031,
        via: '255.255.255.255',
        quiet: 1,
      }),
      udp({ dst: denied.ipv4, sport: 4031 }),
    ],
  },
  {
    name: 'a granted flow turned around',
    send: ({ router, denied }) => [
      // Not from a port that is served: two servers would echo to each other for ever.
      raw({ form: 'udp', src: denied.ipv4, sport: 4040, dst: router.ipv4, quiet: 1 }),
      raw({ form: 'udp', src: router.ipv4, sport: 80, dst: denied.ipv4, port: 4040 }),
    ],
  },
  {
    name: 'a loose source route through a granted host',
    send: sourceRoute('loose-route'),
    heardBy: 'beyond',
  },
  {
    name: 'a strict source route through a granted host',
    send: sourceRoute('strict-route'),
    heardBy: 'beyond',
  },
  { name: 'a source route whose first stop is past', send: sourceRoute('consumed-route'), heardBy: 'beyond' },
  {
    name: 'a source route of an ordinary socket (IP_OPTIONS)',
    send: one(udp, ({ router, beyond }) => ({ dst: beyond.ipv4, route: `830704${hex(router.ipv4)}00` })),
    heardBy: 'beyond',
  },
  {
    name: 'an IPv6 segment route through a granted host',
    send: segments('segments'),
    by: 'wide',
    heardBy: 'beyond',
  },
  {
    name: 'an IPv6 segment route, as neighbour discovery',
    send: segments('solicit-segments'),
    heardBy: 'beyond',
  },
];

function turned(family: 'ipv4' | 'ipv6'): Attempt['send'] {
  return ({ self, denied }) => [
    raw({ form: 'udp', src: denied[family], sport: 80, dst: self[family], port: 4030, quiet: 1 }),
    udp({ dst: denied[family], sport: 4030 }),
  ];
}

function sourceRoute(form: string): Attempt['send'] {
  return one(raw, ({ router, beyond }) => ({ form, dst: router.ipv4, final: beyond.ipv4 }));
}

function segments(form: string): Attempt['send'] {
  return one(raw, ({ router, beyond }) => ({ form, dst: router.ipv6, final: beyond.ipv6, hops: 255 }));
}

const hex = (ipv4: string): string => Buffer.from(ipv4.split('.').map(Number)).toString('hex');

export const attempts: readonly (readonly [group: string, readonly Attempt[]])[] = [
  ['ordinary sockets', ordinary],
  ['on the link', onTheLink],
  ['frames', frames],
  ['raw sockets', rawSockets],
  ['fragments', fragments],
  ['ICMP', icmp],
  ['false addresses and routes', lies],
];

/**
 * By AF_XDP. It has a port of its own: the receiver answers, and the answer is a flow from outside, along
 * which ordinary packets may follow.
 */
export const xdpFrame = one(xdp, framed4({ sport: 4090 }));
export const plainFrame = one(frame, framed4());
export const plainTcp = one(tcp, to4());
export const plainUdp = one(udp, to4());
