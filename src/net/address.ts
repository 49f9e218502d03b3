/**
 * IP addresses and prefixes as integers. Both families share one representation, so that the algorithms on rule
 * sets need no text.
 *
 * The text forms are the strict ones: `010.0.0.1`, `10.1` and `0x0a000001` mean different hosts to
 * different programs, so a firewall must not pick one of the meanings.
 */
import ipaddr from 'ipaddr.js';
import { quote } from '../common/text.ts';

export type Family = 4 | 6;

/**
 * A CIDR prefix. `address` is its first address as an unsigned integer (32 or 128 bits wide), host
 * bits zero; `length` counts leading bits, 0–32 or 0–128.
 */
export interface Prefix {
  readonly family: Family;
  readonly address: bigint;
  readonly length: number;
}

/** A prefix read from text (`hostBits`: some were set, and are masked), or why there is none. */
export type ParsedPrefix =
  | { readonly prefix: Prefix; readonly hostBits: boolean }
  | { readonly reason: string };

/** Bits of an address. */
export const WIDTH: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** The longest text of an address: 8 groups of 4 digits, the last two in dotted form. */
const LONGEST = 45;
const EMBEDDED_IPV4 = /[^:]*\.[^:]*$/;

/** `10.0.0.0/8`, `2001:db8::/32`; a bare address is a prefix of one host. */
export const parsePrefix = (text: string): ParsedPrefix => {
  const slash = text.indexOf('/');
  const host = parseHost(slash < 0 ? text : text.slice(0, slash), text);
  if ('reason' in host || slash < 0) return host;
  const length = parseLength(text.slice(slash + 1), host.prefix.family);
  if (typeof length === 'string') return { reason: length };
  const prefix = prefixOf(host.prefix.family, host.prefix.address, length);
  return { prefix, hostBits: prefix.address !== host.prefix.address };
};

/** The prefix of one host, or undefined if the text is not one address. */
export const parseAddress = (text: string): Prefix | undefined => {
  const host = parseHost(text);
  return 'reason' in host ? undefined : host.prefix;
};

/** The canonical text (RFC 5952 for IPv6); a host is written without its length. */
export const formatPrefix = (prefix: Prefix): string => {
  const address = formatAddress(prefix.family, prefix.address);
  return prefix.length === WIDTH[prefix.family] ? address : `${address}/${prefix.length}`;
};

export const formatAddress = (family: Family, address: bigint): string => {
  const hex = address.toString(16).padStart(WIDTH[family] / 4, '0');
  return ipaddr.fromByteArray(bytesOf(hex)).toString();
};

/** The prefix of that length that holds the address: host bits are masked. */
export const prefixOf = (family: Family, address: bigint, length: number): Prefix => {
  const hostBits = BigInt(WIDTH[family] - length);
  return { family, address: (address >> hostBits) << hostBits, length };
};

/** How many addresses a prefix holds. */
export const sizeOf = ({ family, length }: Prefix): bigint => 1n << BigInt(WIDTH[family] - length);

/** The last address of a prefix. */
export const lastAddress = (prefix: Prefix): bigint => prefix.address + sizeOf(prefix) - 1n;

/** Whether every address of `inner` is in `outer`. Two prefixes are nested or disjoint. */
export const contains = (outer: Prefix, inner: Prefix): boolean =>
  outer.family === inner.family &&
  outer.length <= inner.length &&
  (outer.address ^ inner.address) >> BigInt(WIDTH[outer.family] - outer.length) === 0n;

/** The order of all output: IPv4 first, by address, the broader prefix first. */
export const comparePrefixes = (a: Prefix, b: Prefix): number =>
  a.family - b.family || compareAddresses(a, b) || a.length - b.length;

/** By first address alone, within one family. */
export const compareAddresses = (a: Prefix, b: Prefix): number =>
  a.address < b.address ? -1 : a.address > b.address ? 1 : 0;

/** The lower and upper half; the caller has checked that the prefix is not a single host. */
export const splitPrefix = ({ family, address, length }: Prefix): readonly [Prefix, Prefix] => {
  const upper = address + (1n << BigInt(WIDTH[family] - length - 1));
  return [
    { family, address, length: length + 1 },
    { family, address: upper, length: length + 1 },
  ];
};

/** `whole` is the text to show if it is not an address. */
const parseHost = (text: string, whole = text): ParsedPrefix => {
  if (text.length > LONGEST) return { reason: notAnAddress(whole) };
  if (text.includes(':')) return parseHost6(text, whole);
  if (!isIpv4(text)) return { reason: notAnAddress(whole) };
  return hostOf(4, ipaddr.IPv4.parse(text).toByteArray());
};

/** The library throws for each text that is none, and catches that, which takes 20 times as long as a look. */
const isIpv4 = (text: string): boolean =>
  /^\d+(\.\d+){3}$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text);

const parseHost6 = (text: string, whole: string): ParsedPrefix => {
  if (text.includes('%')) return { reason: `expected an IPv6 address without a zone, got ${quote(text)}` };
  const embedded = EMBEDDED_IPV4.exec(text)?.[0];
  const strict = embedded === undefined || isIpv4(embedded);
  if (!strict || !ipaddr.IPv6.isValid(text)) return { reason: notAnAddress(whole) };
  const address = ipaddr.IPv6.parse(text);
  if (!address.isIPv4MappedAddress()) return hostOf(6, address.toByteArray());
  return {
    reason: `expected the IPv4 address itself, ${address.toIPv4Address()}, got the mapped form ${quote(text)}`,
  };
};

const hexOf = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');

const bytesOf = (hex: string): number[] => hex.match(/../g)?.map((byte) => Number.parseInt(byte, 16)) ?? [];

const hostOf = (family: Family, bytes: readonly number[]): ParsedPrefix => ({
  prefix: { family, address: BigInt(`0x${hexOf(bytes)}`), length: WIDTH[family] },
  hostBits: false,
});

const notAnAddress = (text: string): string =>
  `expected an IP address (IPv4 as four decimal numbers 0-255 without leading zeros), got ${quote(text)}`;

const parseLength = (text: string, family: Family): number | string => {
  const length = /^(0|[1-9]\d{0,2})$/.test(text) ? Number(text) : Number.NaN;
  if (length <= WIDTH[family]) return length;
  const mask = family === 4 && isIpv4(text) ? ipaddr.IPv4.parse(text) : undefined;
  const instead = mask?.prefixLengthFromSubnetMask() ?? undefined;
  const remedy = instead === undefined ? '' : `; write /${instead}`;
  return `expected a prefix length 0-${WIDTH[family]} after "/", got ${quote(text)}${remedy}`;
};
