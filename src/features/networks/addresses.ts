/**
 * The entries of `networks` and `ips`, from their fields: prefixes, gateways and addresses.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Subnet } from '../../inventory/network.ts';
import {
  contains,
  formatPrefix,
  lastAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
  WIDTH,
} from '../../net/address.ts';
import type { AddressEntry, NetworkEntry } from './model.ts';
import { type Origin, problemAt, type ReadEntry, rejectedFor } from './problems.ts';
import type { AddressFields, NetworkFields } from './schema.ts';

/** As Docker takes it. */
const NETWORK_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Docker's own, which have no addresses of ours. */
const RESERVED = new Set(['bridge', 'host', 'none', 'default', 'container']);

export function readNetwork(fields: NetworkFields, origin: Origin, key: string): ReadEntry<NetworkEntry> {
  const name = fields.network_name ?? key;
  const reasons: [field: string | undefined, reason: string][] = [];
  if (!NETWORK_NAME.test(name))
    reasons.push([
      fields.network_name === undefined ? undefined : 'network_name',
      `Docker takes no network named ${quote(name)}; write letters, digits, "_", "." and "-"`,
    ]);
  else if (RESERVED.has(name))
    reasons.push([undefined, `${quote(name)} is a network of Docker's own; write another name`]);
  const subnets = listOf(fields.subnet).flatMap((text) => {
    const prefix = subnetFrom(text);
    if (typeof prefix !== 'string') return prefix;
    reasons.push(['subnet', prefix]);
    return [];
  });
  if (new Set(subnets.map(({ family }) => family)).size < subnets.length)
    reasons.push([
      'subnet',
      'has two prefixes of one family; write one of IPv4, one of IPv6, or one of each',
    ]);
  const gateways = readGateways(listOf(fields.gateway), subnets, reasons);
  if (reasons.length > 0) return rejectedFor(origin, reasons);
  const withGateways = subnets.map((prefix): Subnet => ({ prefix, gateway: gateways.get(prefix) }));
  return { entry: { name, key, subnets: withGateways, origin }, problems: [] };
}

function readGateways(
  texts: readonly string[],
  subnets: readonly Prefix[],
  reasons: [string | undefined, string][],
): ReadonlyMap<Prefix, Prefix> {
  const gateways = new Map<Prefix, Prefix>();
  for (const text of texts) {
    const address = addressFrom(text);
    const subnet = typeof address === 'string' ? undefined : subnets.find((one) => contains(one, address));
    if (typeof address === 'string') reasons.push(['gateway', address]);
    else if (subnet === undefined) {
      // A subnet that cannot be read has its own sentence.
      if (subnets.length > 0)
        reasons.push(['gateway', `${text} is not in the subnet ${subnets.map(formatPrefix).join(' or ')}`]);
    } else if (gateways.has(subnet))
      reasons.push(['gateway', `has two addresses in ${formatPrefix(subnet)}; write one`]);
    else if (isUnusable(subnet, address))
      reasons.push(['gateway', `${text} cannot be the address of a host in ${formatPrefix(subnet)}`]);
    else gateways.set(subnet, address);
  }
  return gateways;
}

export function readAddress(fields: AddressFields, origin: Origin, key: string): ReadEntry<AddressEntry> {
  const texts = fields.ip === undefined ? [key] : listOf(fields.ip);
  const field = fields.ip === undefined ? undefined : 'ip';
  const reasons: [field: string | undefined, reason: string][] = [];
  const addresses = texts.flatMap((text) => {
    const address = addressFrom(text);
    if (typeof address !== 'string') return address;
    reasons.push([field, field === undefined ? `"ip" is missing; ${address}` : address]);
    return [];
  });
  if (new Set(addresses.map(({ family }) => family)).size < addresses.length)
    reasons.push(['ip', 'has two addresses of one family; write one of IPv4, one of IPv6, or one of each']);
  const { container_name: container, selector, service_name: service } = fields;
  if (container === undefined && selector === undefined && service === undefined)
    reasons.push([undefined, 'names no container; write "container_name"']);
  if (reasons.length > 0) return rejectedFor(origin, reasons);
  const entry = { key, addresses, container, selector, service, origin };
  return { entry, problems: keyProblems(entry) };
}

/** An entry under one address with another in it. */
function keyProblems({ key, addresses, origin }: AddressEntry): readonly Problem[] {
  const named = parseAddress(key);
  if (named === undefined || addresses.some((one) => contains(one, named))) return [];
  const found = addresses.map(formatPrefix).join(' and ');
  const reason = `is ${found} in an entry named ${quote(key)}; ${found} counts: rename the entry`;
  return [problemAt('warning', origin, 'ip', reason)];
}

/** The first address of a subnet of IPv4 is its own name, the last one reaches all hosts in it. */
export const isUnusable = (subnet: Prefix, { address }: Prefix): boolean =>
  subnet.length < WIDTH[subnet.family] - 1 &&
  (address === subnet.address || (subnet.family === 4 && address === lastAddress(subnet)));

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Or what is wrong with the text. */
function subnetFrom(text: string): Prefix | string {
  const example = 'expected a prefix as 172.18.104.0/24';
  const parsed = parsePrefix(text);
  if ('reason' in parsed) return text.includes('/') ? parsed.reason : `${example}, got ${quote(text)}`;
  const { prefix, hostBits } = parsed;
  if (hostBits) return `${example}, got ${quote(text)}; write ${formatPrefix(prefix)}`;
  if (prefix.length > WIDTH[prefix.family] - 2)
    return `${quote(text)} has no room for a gateway and a container; write a shorter length`;
  if (prefix.length < 8) return `${quote(text)} is too broad for a network of Docker; write a longer prefix`;
  return prefix;
}

function addressFrom(text: string): Prefix | string {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  const parsed = parsePrefix(text);
  return 'reason' in parsed ? parsed.reason : `expected an address without a length, got ${quote(text)}`;
}
