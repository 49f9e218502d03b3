/**
 * Holds the entries of networks.json against each other: of two that contradict each other, the first one counts.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import { contains, formatPrefix, type Prefix } from '../../net/address.ts';
import { isUnusable } from './addresses.ts';
import type { AddressEntry, NetworkEntry, NetworksFile } from './model.ts';
import { bare } from './names.ts';
import { problemAt } from './problems.ts';

export function consistentFile(file: NetworksFile): {
  readonly file: NetworksFile;
  readonly problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const networks = keptOf(file.networks, networkFault, problems);
  const addresses = keptOf(
    file.addresses,
    (entry, earlier) => addressFault(entry, earlier, networks),
    problems,
  );
  return { file: { ...file, networks, addresses }, problems };
}

/** Those without a fault, each compared with those that were kept before it. */
function keptOf<T>(
  entries: readonly T[],
  faultOf: (entry: T, earlier: readonly T[]) => Problem | undefined,
  problems: Problem[],
): readonly T[] {
  const kept: T[] = [];
  for (const entry of entries) {
    const fault = faultOf(entry, kept);
    if (fault === undefined) kept.push(entry);
    else problems.push(fault);
  }
  return kept;
}

function networkFault(
  { name, subnets, origin }: NetworkEntry,
  earlier: readonly NetworkEntry[],
): Problem | undefined {
  const same = earlier.find((one) => one.name === name);
  if (same !== undefined)
    return problemAt(
      'error',
      origin,
      undefined,
      `is the network ${quote(name)} of ${same.origin.path} again; remove one`,
    );
  for (const other of earlier)
    for (const { prefix } of subnets) {
      const overlap = other.subnets.find((one) => areNested(one.prefix, prefix));
      if (overlap === undefined) continue;
      const reason = `${formatPrefix(prefix)} overlaps ${formatPrefix(overlap.prefix)} of ${other.origin.path}; write another prefix`;
      return problemAt('error', origin, 'subnet', reason);
    }
  return undefined;
}

export const areNested = (one: Prefix, other: Prefix): boolean =>
  contains(one, other) || contains(other, one);

function addressFault(
  entry: AddressEntry,
  earlier: readonly AddressEntry[],
  networks: readonly NetworkEntry[],
): Problem | undefined {
  for (const address of entry.addresses) {
    const same = earlier.find(({ addresses }) => addresses.some((one) => contains(one, address)));
    if (same !== undefined)
      return problemAt(
        'error',
        entry.origin,
        'ip',
        `${formatPrefix(address)} is the address of ${same.origin.path} already; write another one`,
      );
    const reason = placeFault(address, networks) ?? secondIn(entry, address, earlier, networks);
    if (reason !== undefined) return problemAt('error', entry.origin, 'ip', reason);
  }
  return undefined;
}

/** Why no container can have it, if its network is in the file. */
function placeFault(address: Prefix, networks: readonly NetworkEntry[]): string | undefined {
  const network = networkOf(address, networks);
  const subnet = network?.subnets.find(({ prefix }) => contains(prefix, address));
  if (network === undefined || subnet === undefined) return undefined;
  const text = formatPrefix(address);
  if (isUnusable(subnet.prefix, address))
    return `${text} cannot be the address of a container in ${formatPrefix(subnet.prefix)}`;
  return subnet.gateway !== undefined && contains(subnet.gateway, address)
    ? `${text} is the gateway of ${network.origin.path}; write another address`
    : undefined;
}

/** A container has one address of a family in a network. */
function secondIn(
  { container, selector }: AddressEntry,
  address: Prefix,
  earlier: readonly AddressEntry[],
  networks: readonly NetworkEntry[],
): string | undefined {
  const network = networkOf(address, networks);
  const name = container ?? selector;
  if (network === undefined || name === undefined) return undefined;
  const other = earlier.find(
    (one) =>
      bare(one.container ?? one.selector ?? '') === bare(name) &&
      one.addresses.some((each) => each.family === address.family && networkOf(each, networks) === network),
  );
  if (other === undefined) return undefined;
  return `${quote(name)} has an address of IPv${address.family} in ${network.origin.path} by ${other.origin.path} already; remove one`;
}

/** The network of the file in which an address is. */
export const networkOf = (address: Prefix, networks: readonly NetworkEntry[]): NetworkEntry | undefined =>
  networks.find(({ subnets }) => subnets.some(({ prefix }) => contains(prefix, address)));
