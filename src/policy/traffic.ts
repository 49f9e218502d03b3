/**
 * The traffic part of an address rule: what follows the colon in `10.0.0.0/8:tcp/80,443,8000-8100`.
 */

import { quote } from '../common/text.ts';
import type { Family } from '../net/address.ts';
import { formatRange, normalize, type Range } from '../net/ranges.ts';

/** `icmp` means ICMPv6 where the address is IPv6. */
export type Protocol = 'tcp' | 'udp' | 'icmp';

/** `ranges` is a normal list and never empty: all of the protocol's numbers if the rule names none. */
export interface Traffic {
  readonly protocol: Protocol;
  readonly ranges: readonly Range[];
}

interface Numbering {
  readonly noun: string;
  readonly last: number;
}

const PORTS: Numbering = { noun: 'port', last: 65_535 };
const TYPES: Numbering = { noun: 'type', last: 255 };
const NUMBERING: Readonly<Record<Protocol, Numbering>> = { tcp: PORTS, udp: PORTS, icmp: TYPES };

const PROTOCOLS = new Map<string, Protocol>([
  ['tcp', 'tcp'],
  ['udp', 'udp'],
  ['icmp', 'icmp'],
  ['icmpv6', 'icmp'],
]);

/** All ports, or all types. */
export const everything = (protocol: Protocol): readonly Range[] => [
  { first: 0, last: NUMBERING[protocol].last },
];

/** `tcp`, `tcp/80`, `icmp/8`, …; or the reason. */
export const parseTraffic = (text: string, family: Family): Traffic | { readonly reason: string } => {
  const slash = text.indexOf('/');
  const name = (slash < 0 ? text : text.slice(0, slash)).toLowerCase();
  const protocol = PROTOCOLS.get(name);
  if (protocol === undefined) return { reason: unknownProtocol(text, name) };
  if (name === 'icmpv6' && family === 4) return { reason: 'expected icmp for an IPv4 address, got icmpv6' };
  if (slash < 0) return { protocol, ranges: everything(protocol) };
  const ranges = parseList(text.slice(slash + 1), NUMBERING[protocol]);
  return 'reason' in ranges ? ranges : { protocol, ranges: normalize(ranges) };
};

/** The text that `parseTraffic` parses to the same traffic. */
export const formatTraffic = ({ protocol, ranges }: Traffic): string => {
  const [only] = ranges;
  const all = only !== undefined && only.first === 0 && only.last === NUMBERING[protocol].last;
  return all ? protocol : `${protocol}/${ranges.map(formatRange).join(',')}`;
};

const unknownProtocol = (text: string, name: string): string => {
  const remedy = /^\d+([-,]\d+)*$/.test(text) ? `; write tcp/${text.slice(0, 20)}` : '';
  return name === ''
    ? `expected tcp, udp or icmp after ":", got ${text === '' ? 'nothing' : quote(text)}`
    : `expected tcp, udp or icmp (icmpv6) after ":", got ${quote(text)}${remedy}`;
};

const parseList = (text: string, numbering: Numbering): Range[] | { readonly reason: string } => {
  const ranges: Range[] = [];
  for (const item of text.split(',')) {
    const range = parseRange(item, numbering);
    if ('reason' in range) return range;
    ranges.push(range);
  }
  return ranges;
};

/**
 * Port 0 alone is invalid: nothing listens on it, and "any port" is written without ports. As the start of a range it
 * is harmless.
 */
const parseRange = (text: string, { noun, last }: Numbering): Range | { readonly reason: string } => {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const range = { first: numberOf(match?.[1]), last: numberOf(match?.[2] ?? match?.[1]) };
  if (!(range.first <= last && range.last <= last))
    return { reason: `expected a ${noun} 0-${last} or a range of them, got ${quote(text)}` };
  if (range.first > range.last)
    return {
      reason: `expected a range with the lower ${noun} first, got "${text}"; write ${range.last}-${range.first}`,
    };
  if (noun === 'port' && range.last === 0)
    return { reason: 'expected a port 1-65535, got "0"; for all ports write the protocol alone' };
  return range;
};

/** Decimal without leading zeros (elsewhere those mean octal), else NaN. */
const numberOf = (text: string | undefined): number =>
  text === undefined || /^0\d/.test(text) ? Number.NaN : Number(text);
