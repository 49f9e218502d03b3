/**
 * One destination: a host, a protocol, and a port or ICMP type.
 */
import { formatPrefix, type Prefix, parseAddress } from '../net/address.ts';
import { covers } from '../net/ranges.ts';
import type { AllowEntry } from '../policy/rule-set.ts';
import type { Protocol } from '../policy/traffic.ts';

export interface Destination {
  /** A prefix of one host. */
  readonly host: Prefix;
  readonly protocol: Protocol;
  /** The type where the protocol is icmp. */
  readonly port: number;
}

/** A destination as a kernel's set lists it. */
export interface Seen {
  readonly address: string;
  /** tcp, udp, icmp, or a protocol number as text. */
  readonly protocol: string;
  /** Port, or ICMP type; undefined where the protocol has none. */
  readonly port: number | undefined;
  readonly packets: number;
}

/** Undefined if no rule can name it: another protocol, port 0, or no address. */
export const destinationOf = ({ address, protocol, port }: Seen): Destination | undefined => {
  const host = parseAddress(address);
  const known = PROTOCOLS.get(protocol);
  if (host === undefined || known === undefined || port === undefined) return undefined;
  return port === 0 && known !== 'icmp' ? undefined : { host, protocol: known, port };
};

/** `10.0.0.5 tcp/5432` */
export const formatDestination = ({ host, protocol, port }: Destination): string =>
  `${formatPrefix(host)} ${protocol}/${port}`;

/** True if an entry whose prefix contains the host allows this traffic. */
export const isFor = ({ protocol, ranges }: AllowEntry, { protocol: wanted, port }: Destination): boolean =>
  protocol === wanted && covers(ranges, { first: port, last: port });

const PROTOCOLS = new Map<string, Protocol>([
  ['tcp', 'tcp'],
  ['udp', 'udp'],
  ['icmp', 'icmp'],
  ['icmpv6', 'icmp'],
  ['ipv6-icmp', 'icmp'],
]);
