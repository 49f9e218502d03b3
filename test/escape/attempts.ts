/**
 * The attempts that only send packets: what a program under rules sends, and which container would receive it.
 */
import { type Host, LINK_LOCAL, type ListenerName, METADATA4, METADATA6, type Receivers } from './testbed.ts';

/** One call of `attack.py` or `sockets.pl`; the options `text` and `src` are added. */
export interface AttackStep {
  readonly method: string;
  readonly options: Readonly<Record<string, string | number>>;
}

export interface Setup extends Receivers {
  readonly self: Host;
  /** The conntrack mark of admitted flows, as the attacker found it. */
  readonly mark: number;
}

export interface Attempt {
  readonly name: string;
  readonly send: (setup: Setup) => readonly AttackStep[];
  /** Default: `restricted`. */
  readonly from?: 'restricted' | 'wide';
  /** Default: `denied`. */
  readonly receiver?: ListenerName;
  /** Why it gets through under rules too, or why it cannot be tried. Without either, it must be stopped. */
  readonly openReason?: string;
  readonly notApplicable?: string;
}

const stepBy =
  (method: string) =>
  (options: AttackStep['options']): AttackStep => ({ method, options });
const [udp, tcp, raw, protocol] = [stepBy('udp'), stepBy('tcp'), stepBy('raw'), stepBy('protocol')];
const [frame, cooked] = [stepBy('frame'), stepBy('cooked')];
const [ring, ancient, xdp] = [stepBy('ring'), stepBy('ancient'), stepBy('xdp')];

const single =
  (
    way: (fields: AttackStep['options']) => AttackStep,
    fields: (setup: Setup) => AttackStep['options'],
  ): Attempt['send'] =>
  (setup) => [way(fields(setup))];

const to4 =
  (fields: AttackStep['options'] = {}) =>
  ({ denied }: Setup) => ({ dst: denied.ipv4, ...fields });
const to6 =
  (fields: AttackStep['options'] = {}) =>
  ({ denied }: Setup) => ({ dst: denied.ipv6, ...fields });
/** A datagram in a complete Ethernet frame. */
const framed4 =
  (fields: AttackStep['options'] = {}) =>
  ({ denied }: Setup) => ({ form: 'udp', dst: denied.ipv4, mac: denied.mac, ...fields });
const framed6 =
  (fields: AttackStep['options'] = {}) =>
  ({ denied }: Setup) => ({ form: 'udp', dst: denied.ipv6, mac: denied.mac, ...fields });

const ordinary: readonly Attempt[] = [
  { name: 'TCP, IPv4', send: single(tcp, to4()) },
  { name: 'UDP, IPv4', send: single(udp, to4()) },
  {
    name: 'TCP, IPv6, where IPv4 was granted',
    send: single(tcp, ({ router }) => ({ dst: router.ipv6 })),
    receiver: 'router',
  },
  {
    name: 'UDP, IPv6, where IPv4 was granted',
    send: single(udp, ({ router }) => ({ dst: router.ipv6 })),
    receiver: 'router',
  },
  {
    name: 'another port of a granted host',
    send: single(udp, ({ router }) => ({ dst: router.ipv4, port: 81 })),
    receiver: 'router',
  },
  { name: 'UDP of a socket bound to the device', send: single(udp, to4({ device: 'eth0' })) },
  {
    name: 'UDP of a socket bound to lo',
    send: single(udp, to4({ device: 'lo' })),
    notApplicable: 'packets on lo never leave the namespace',
  },
  { name: 'TCP with data in the SYN (fast open)', send: single(tcp, to4({ fast: 1 })) },
  { name: 'DNS to a foreign resolver, UDP', send: single(udp, to4({ port: 53 })) },
  { name: 'DNS to a foreign resolver, TCP', send: single(tcp, to4({ port: 53 })) },
  {
    name: 'a port that this machine publishes',
    send: single(tcp, ({ gateway, published }) => ({ dst: gateway, port: published })),
  },
  {
    name: 'the metadata address under 0.0.0.0/0, TCP',
    send: single(tcp, () => ({ dst: METADATA4 })),
    from: 'wide',
  },
  {
    name: 'the metadata address under 0.0.0.0/0, UDP',
    send: single(udp, () => ({ dst: METADATA4 })),
    from: 'wide',
  },
  { name: 'the metadata address under ::/0', send: single(tcp, () => ({ dst: METADATA6 })), from: 'wide' },
];

const onTheLink: readonly Attempt[] = [
  { name: 'link-local, IPv4', send: single(udp, () => ({ dst: LINK_LOCAL })) },
  { name: 'link-local, IPv6', send: single(udp, ({ denied }) => ({ dst: `${denied.linkLocal}%eth0` })) },
  { name: 'multicast, IPv4, 224.0.0.1', send: single(udp, () => ({ dst: '224.0.0.1' })) },
  { name: 'multicast, IPv4, 239.1.2.3', send: single(udp, () => ({ dst: '239.1.2.3' })) },
  { name: 'multicast, IPv6', send: single(udp, () => ({ dst: 'ff02::1%eth0' })) },
  { name: 'group reports (IGMP) with text', send: single(raw, () => ({ form: 'report', dst: '224.0.0.1' })) },
  { name: 'broadcast', send: single(udp, () => ({ dst: '255.255.255.255' })) },
];

const frames: readonly Attempt[] = [
  { name: 'AF_PACKET, IPv4', send: single(frame, framed4()) },
  { name: 'AF_PACKET, IPv6', send: single(frame, framed6()) },
  { name: 'AF_PACKET, IPv4, bypassing the queue', send: single(frame, framed4({ bypass: 1 })) },
  { name: 'AF_PACKET, IPv6, bypassing the queue', send: single(frame, framed6({ bypass: 1 })) },
  { name: 'AF_PACKET with a guessed SO_MARK', send: single(frame, framed4({ mark: 1 })) },
  {
    name: 'AF_PACKET with the generation as SO_MARK',
    send: (setup) => [frame(framed4({ mark: setup.mark })(setup))],
  },
  {
    name: 'AF_PACKET to the Ethernet broadcast address',
    send: single(frame, framed4({ mac: 'ff:ff:ff:ff:ff:ff' })),
  },
  { name: 'AF_PACKET, IPv4 declared as ARP', send: single(frame, framed4({ declared: '0x806' })) },
  { name: 'AF_PACKET with a VLAN tag', send: single(frame, framed4({ tag: '81000000' })) },
  { name: 'AF_PACKET, SOCK_DGRAM', send: single(cooked, framed4()) },
  { name: 'AF_PACKET through a shared ring', send: single(ring, framed4()) },
  { name: 'SOCK_PACKET of Linux 2.0', send: single(ancient, framed4()) },
  {
    name: 'ARP with text in it',
    send: single(frame, framed4({ form: 'arp', ethertype: '0x806', mac: 'ff:ff:ff:ff:ff:ff' })),
    openReason: 'reaches neighbours on the same link, no further',
  },
];

const rawSockets: readonly Attempt[] = [
  { name: 'raw IPv4 (IPPROTO_RAW)', send: single(raw, to4({ form: 'udp' })) },
  { name: 'raw IPv6 (IPPROTO_RAW)', send: single(raw, to6({ form: 'udp' })) },
  {
    name: 'raw IPv4 with the generation as SO_MARK',
    send: (setup) => [raw(to4({ form: 'udp', mark: setup.mark })(setup))],
  },
  { name: 'UDP with the generation as SO_MARK', send: (setup) => [udp(to4({ mark: setup.mark })(setup))] },
  { name: 'UDP with a guessed SO_MARK', send: single(udp, to4({ mark: 1 })) },
  { name: 'raw TCP: SYN with text', send: single(raw, to4({ form: 'syn' })) },
  { name: 'raw TCP: SYN-ACK with text, without a SYN', send: single(raw, to4({ form: 'syn-ack' })) },
  { name: 'raw TCP: ACK with text, without a connection', send: single(raw, to4({ form: 'ack' })) },
  {
    name: 'raw IPv4, routed to a granted host',
    send: single(raw, (setup) => ({ ...to4({ form: 'udp' })(setup), via: setup.router.ipv4 })),
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
      send: single(protocol, to4({ protocol: number ?? 0 })),
    }),
  ),
  { name: 'SCTP, IPv6', send: single(protocol, to6({ protocol: 132 })) },
  { name: 'protocol 253, IPv6', send: single(protocol, to6({ protocol: 253 })) },
];

const fragments: readonly Attempt[] = [
  { name: 'fragments, IPv4', send: single(raw, to4({ form: 'pieces' })) },
  { name: 'fragments, IPv4, IP_NODEFRAG', send: single(raw, to4({ form: 'pieces', nodefrag: 1 })) },
  {
    name: 'fragments, the first too small for its header',
    send: single(raw, to4({ form: 'tiny', nodefrag: 1 })),
  },
  { name: 'fragments, IPv6', send: single(raw, to6({ form: 'pieces' })) },
];

/** For a link without a bridge: Docker's bridge reassembles fragments, and drops those that it cannot reassemble. */
export const unbridged: readonly Attempt[] = [
  { name: 'fragments, IPv6, the header in the second', send: single(raw, to6({ form: 'hidden' })) },
  { name: 'fragments, the first missing', send: single(raw, to4({ form: 'tail', nodefrag: 1 })) },
  {
    name: 'overlapping fragments, to another port of a granted host',
    send: single(raw, ({ router }) => ({
      form: 'overlapping',
      dst: router.ipv4,
      decoy: 80,
      port: 81,
      nodefrag: 1,
    })),
    receiver: 'router',
  },
];

const icmp: readonly Attempt[] = [
  { name: 'ICMP echo with text', send: single(raw, to4({ form: 'echo' })) },
  { name: 'ICMPv6 echo with text', send: single(raw, to6({ form: 'echo' })) },
  { name: 'ICMP echo reply without a request', send: single(raw, to4({ form: 'echo', type: 0 })) },
  { name: 'ICMPv6 echo reply without a request', send: single(raw, to6({ form: 'echo', type: 129 })) },
  { name: 'ICMP timestamp request with text', send: single(raw, to4({ form: 'echo', type: 13 })) },
  { name: 'a forged ICMP error about a granted flow', send: forgedError('ipv4') },
  { name: 'a forged ICMPv6 error about a granted flow', send: forgedError('ipv6'), from: 'wide' },
  ...['solicit', 'advert', 'router-solicit'].map(
    (form): Attempt => ({
      name: `neighbour discovery off the link (${form})`,
      send: single(raw, ({ beyond }) => ({ form, dst: beyond.ipv6, hops: 255 })),
      receiver: 'beyond',
    }),
  ),
  {
    name: 'neighbour discovery with text, on the link',
    send: single(raw, to6({ form: 'solicit', hops: 255 })),
    openReason: 'reaches neighbours on the same link, no further',
  },
];

/** Opens a granted flow to `router`, and then sends an error about it to `denied`. */
function forgedError(family: 'ipv4' | 'ipv6'): Attempt['send'] {
  return ({ router, denied }) => [
    udp({ dst: router[family], sport: 4020, port: 80, quiet: 1 }),
    raw({ form: 'error', dst: denied[family], peer: router[family], pport: 80, sport: 4020 }),
  ];
}

const forgedAddresses: readonly Attempt[] = [
  {
    name: 'a forged source, raw IPv4',
    send: single(raw, (setup) => ({ ...to4({ form: 'udp' })(setup), src: setup.router.ipv4 })),
  },
  {
    name: 'a forged source, raw IPv6',
    send: single(raw, (setup) => ({ ...to6({ form: 'udp' })(setup), src: setup.router.ipv6 })),
  },
  {
    name: 'a forged source, IP_TRANSPARENT',
    send: single(udp, (setup) => ({ ...to4()(setup), source: setup.router.ipv4 })),
  },
  {
    name: 'a forged source to a granted host',
    send: single(raw, ({ router, denied }) => ({ form: 'udp', dst: router.ipv4, src: denied.ipv4 })),
    receiver: 'router',
  },
  { name: 'an "answer" to a forged packet to itself, IPv4', send: reversedFlow('ipv4') },
  { name: 'an "answer" to a forged packet to itself, IPv6', send: reversedFlow('ipv6') },
  {
    name: 'an "answer" to a forged packet to itself by broadcast',
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
    name: 'a granted flow, reversed',
    send: ({ router, denied }) => [
      // The source port must not be a server's: two servers would echo to each other endlessly.
      raw({ form: 'udp', src: denied.ipv4, sport: 4040, dst: router.ipv4, quiet: 1 }),
      raw({ form: 'udp', src: router.ipv4, sport: 80, dst: denied.ipv4, port: 4040 }),
    ],
  },
  {
    name: 'a loose source route through a granted host',
    send: sourceRoute('loose-route'),
    receiver: 'beyond',
  },
  {
    name: 'a strict source route through a granted host',
    send: sourceRoute('strict-route'),
    receiver: 'beyond',
  },
  {
    name: 'a source route whose first hop is already past',
    send: sourceRoute('consumed-route'),
    receiver: 'beyond',
  },
  {
    name: 'a source route of an ordinary socket (IP_OPTIONS)',
    send: single(udp, ({ router, beyond }) => ({ dst: beyond.ipv4, route: `830704${hex(router.ipv4)}00` })),
    receiver: 'beyond',
  },
  {
    name: 'an IPv6 segment route through a granted host',
    send: segments('segments'),
    from: 'wide',
    receiver: 'beyond',
  },
  {
    name: 'an IPv6 segment route, as neighbour discovery',
    send: segments('solicit-segments'),
    receiver: 'beyond',
  },
];

function reversedFlow(family: 'ipv4' | 'ipv6'): Attempt['send'] {
  return ({ self, denied }) => [
    raw({ form: 'udp', src: denied[family], sport: 80, dst: self[family], port: 4030, quiet: 1 }),
    udp({ dst: denied[family], sport: 4030 }),
  ];
}

function sourceRoute(form: string): Attempt['send'] {
  return single(raw, ({ router, beyond }) => ({ form, dst: router.ipv4, final: beyond.ipv4 }));
}

function segments(form: string): Attempt['send'] {
  return single(raw, ({ router, beyond }) => ({ form, dst: router.ipv6, final: beyond.ipv6, hops: 255 }));
}

const hex = (ipv4: string): string => Buffer.from(ipv4.split('.').map(Number)).toString('hex');

export const attempts: readonly (readonly [group: string, readonly Attempt[]])[] = [
  ['ordinary sockets', ordinary],
  ['on the link', onTheLink],
  ['frames', frames],
  ['raw sockets', rawSockets],
  ['fragments', fragments],
  ['ICMP', icmp],
  ['forged addresses and routes', forgedAddresses],
];

/**
 * A frame through AF_XDP. It has its own port: the receiver answers, and the answer is a flow from outside, which
 * lets ordinary packets of that port through.
 */
export const xdpFrame = single(xdp, framed4({ sport: 4090 }));
export const plainFrame = single(frame, framed4());
export const plainTcp = single(tcp, to4());
export const plainUdp = single(udp, to4());
