/**
 * Addresses with a special meaning: those that no answer of DNS may lead to, and those that are not public. Their
 * source is IANA's registries of special-purpose addresses for IPv4 and IPv6.
 */
import { contains, type Family, lastAddress, type Prefix, parsePrefix, prefixOf, WIDTH } from './address.ts';

/** A prefix, and what its addresses are. */
export interface SpecialPrefix {
  readonly prefix: Prefix;
  readonly meaning: string;
}

/** Each address of a name is compared with all of them, so the last address of each is computed once. */
interface SpecialRange extends SpecialPrefix {
  readonly last: bigint;
}

const table = (rows: readonly (readonly [string, string])[]): readonly SpecialRange[] =>
  rows.flatMap(([text, meaning]) => {
    const parsed = parsePrefix(text);
    return 'prefix' in parsed ? [{ prefix: parsed.prefix, last: lastAddress(parsed.prefix), meaning }] : [];
  });

/** They mean the host itself, its neighbours or many hosts: a name that leads there is an attack or a mistake. */
const NEVER_BY_NAME: readonly SpecialRange[] = table([
  ['0.0.0.0/8', 'of this host'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['224.0.0.0/4', 'multicast'],
  ['255.255.255.255/32', 'broadcast'],
  ['::/128', 'of this host'],
  ['::1/128', 'loopback'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
]);

/** Not globally reachable, beside those above. */
const NOT_PUBLIC: readonly SpecialRange[] = table([
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'of carrier-grade NAT'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'of IETF protocols'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.31.196.0/24', 'of AS112'],
  ['192.52.193.0/24', 'of AMT'],
  ['192.88.99.0/24', 'of 6to4 relays'],
  ['192.168.0.0/16', 'private'],
  ['192.175.48.0/24', 'of AS112'],
  ['198.18.0.0/15', 'for benchmarks'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['240.0.0.0/4', 'reserved'],
  ['fc00::/7', 'private'],
  ['2001::/23', 'of IETF protocols'],
  ['2001:db8::/32', 'for documentation'],
  ['2620:4f:8000::/48', 'of AS112'],
  ['3fff::/20', 'for documentation'],
]);

/** All that is assigned for unicast in IPv6: what lies outside is reserved. */
const UNICAST_6: readonly SpecialRange[] = table([['2000::/3', 'unicast']]);

/** Why an address can never be granted by name; undefined if it can. */
export const neverByName = (address: Prefix): string | undefined => meaningIn(NEVER_BY_NAME, address);

/** Why an address is not public; undefined if it is public unicast. Wrapped addresses are to be unwrapped first. */
export const whyNotPublic = (address: Prefix): string | undefined =>
  neverByName(address) ?? meaningIn(NOT_PUBLIC, address) ?? whyNotUnicast(address);

const whyNotUnicast = (address: Prefix): string | undefined =>
  address.family === 4 || meaningIn(UNICAST_6, address) !== undefined ? undefined : 'reserved';

const meaningIn = (rows: readonly SpecialRange[], one: Prefix): string | undefined =>
  rows.find((row) => isIn(row, one))?.meaning;

/** As `contains`, by comparisons alone. */
const isIn = ({ prefix, last }: SpecialRange, { family, address, length }: Prefix): boolean =>
  prefix.family === family && prefix.length <= length && prefix.address <= address && address <= last;

/** Prefixes of IPv6 whose addresses stand for one of IPv4, which begins at this bit. */
const WRAPPERS: readonly (SpecialPrefix & { readonly at: number })[] = [
  ...table([
    ['::ffff:0:0:0/96', 'translated IPv4'],
    ['64:ff9b::/96', 'NAT64'],
    ['::/96', 'IPv4-compatible'],
  ]).map((row) => ({ ...row, at: 96 })),
  // The text form of a mapped address is rejected elsewhere, so it is made of its number.
  { prefix: prefixOf(6, 0xffffn << 32n, 96), meaning: 'IPv4-mapped', at: 96 },
  ...table([['2002::/16', '6to4']]).map((row) => ({ ...row, at: 16 })),
];

/** An address of IPv4 inside one of IPv6, and how it got there. */
export interface Unwrapped {
  readonly address: Prefix;
  readonly by: string | undefined;
}

/** The address that packets finally go to: itself, or the one of IPv4 that it stands for. */
export const unwrap = (address: Prefix): Unwrapped => {
  const wrapper = isLocal6(address) ? undefined : WRAPPERS.find(({ prefix }) => contains(prefix, address));
  if (wrapper === undefined) return { address, by: undefined };
  const inner = (address.address >> BigInt(WIDTH[6] - wrapper.at - WIDTH[4])) & 0xffff_ffffn;
  return { address: hostOf(4, inner), by: wrapper.meaning };
};

/** `::` and `::1` lie inside the prefix of IPv4-compatible addresses, but are addresses of IPv6. */
const isLocal6 = ({ family, address }: Prefix): boolean => family === 6 && address <= 1n;

/** The prefix of one host. */
export const hostOf = (family: Family, address: bigint): Prefix => ({
  family,
  address,
  length: WIDTH[family],
});
