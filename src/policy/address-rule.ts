/**
 * Rules that name addresses: `10.0.0.0/8:tcp/80,443`, `[2001:db8::]/32:udp/53`, `10.0.0.1:icmp`.
 */

import { quote } from '../common/text.ts';
import { formatPrefix, type ParsedPrefix, type Prefix, parsePrefix } from '../net/address.ts';
import type { Range } from '../net/ranges.ts';
import { formatTraffic, type Protocol, parseTraffic } from './traffic.ts';

/** Traffic to a prefix. `ranges` is never empty; "all ports" is 0–65535, "all types" 0–255. */
export interface AddressRule {
  readonly kind: 'address';
  readonly prefix: Prefix;
  readonly protocol: Protocol;
  readonly ranges: readonly Range[];
}

export type ParsedAddressRule =
  | { readonly rule: AddressRule; readonly warnings: readonly string[] }
  | { readonly reason: string };

/** The two sides of the colon; undefined where there is no colon, or nothing after it. */
interface Sides {
  readonly target: string;
  readonly traffic: string | undefined;
}

/** The text holds no spaces; the caller has decided that it is an address, not a service. */
export const parseAddressRule = (text: string): ParsedAddressRule => {
  const sides = splitSides(text);
  const parsed = parseSides(sides);
  return 'reason' in parsed ? { reason: likelySlip(text, sides) ?? parsed.reason } : parsed;
};

/** IPv6 addresses are printed in brackets, to be unambiguous. */
export const formatAddressRule = ({ prefix, ...traffic }: AddressRule): string => {
  const target = formatPrefix(prefix);
  const bracketed = prefix.family === 4 ? target : target.replace(/^[^/]+/, '[$&]');
  return `${bracketed}:${formatTraffic(traffic)}`;
};

const parseSides = ({ target, traffic }: Sides): ParsedAddressRule => {
  const address = parseTarget(target);
  if ('reason' in address) return address;
  const { prefix, hostBits } = address;
  if (traffic === undefined) return { reason: noProtocol(target) };
  const parsed = parseTraffic(traffic, prefix.family);
  if ('reason' in parsed) return parsed;
  return { rule: { kind: 'address', prefix, ...parsed }, warnings: hostBits ? [masked(target, prefix)] : [] };
};

/** The last colon splits the sides, because no protocol contains one; brackets are removed first. */
const splitSides = (text: string): Sides => {
  const colon = text.lastIndexOf(':');
  if (colon < text.lastIndexOf(']') || colon < 0) return { target: text, traffic: undefined };
  return { target: text.slice(0, colon), traffic: text.slice(colon + 1) || undefined };
};

/** `10.0.0.0/8`, `[2001:db8::]/32`. */
export const parseTarget = (text: string): ParsedPrefix => {
  if (!text.startsWith('[')) return parsePrefix(text);
  const match = /^\[([^[\]/]*)\](\/[^[\]]*)?$/.exec(text);
  const address = match?.[1];
  if (address === undefined)
    return { reason: `expected "[address]" or "[address]/length", got ${quote(text)}${lengthInside(text)}` };
  if (!address.includes(':')) return { reason: `expected an IPv6 address in brackets, got ${quote(text)}` };
  return parsePrefix(address + (match?.[2] ?? ''));
};

/** `[2001:db8::/32]` */
const lengthInside = (text: string): string => {
  const [, address, length] = /^\[([\da-f:]{2,39})(\/\d{1,3})\]$/i.exec(text) ?? [];
  return address === undefined ? '' : `; write [${address}]${length}`;
};

/** A better reason for notations that other tools accept. */
const likelySlip = (text: string, { target, traffic = '' }: Sides): string | undefined => {
  if ('prefix' in parsePrefix(text)) return noProtocol(text);
  if (/:(?:tcp|udp)\/\d+$/i.test(target) && /^\d+$/.test(traffic))
    return `expected a range of ports with a hyphen, got ${quote(text)}`;
  if (target.includes(',') && target.split(',').every((one) => 'prefix' in parsePrefix(one)))
    return `expected one address or prefix, got the list ${quote(target)}; write one line for each`;
  return undefined;
};

/** The warning about host bits. */
export const masked = (target: string, prefix: Prefix): string =>
  `expected no host bits in a prefix, got ${quote(target)}; it is read as ${formatPrefix(prefix)}`;

const noProtocol = (target: string): string =>
  `expected a protocol after the address, as in ":tcp/443", got ${quote(target)} alone`;
