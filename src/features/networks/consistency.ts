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
  const places = new Places(networks);
  const addresses = file.addresses.filter((entry) => {
    const fault = places.faultOf(entry);
    if (fault === undefined) places.add(entry);
    else problems.push(fault);
    return fault === undefined;
  });
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

/** The addresses of the file so far, and which of its networks they are in. */
class Places {
  readonly #networks: readonly NetworkEntry[];
  /** The paths of entries, by address. */
  readonly #addresses = new Map<string, string>();
  /** The same, by a container and a network of a family. */
  readonly #ends = new Map<string, string>();

  constructor(networks: readonly NetworkEntry[]) {
    this.#networks = networks;
  }

  add(entry: AddressEntry): void {
    for (const address of entry.addresses) {
      this.#addresses.set(formatPrefix(address), entry.origin.path);
      const end = endOf(entry, address, networkOf(address, this.#networks));
      if (end !== undefined) this.#ends.set(end, entry.origin.path);
    }
  }

  faultOf(entry: AddressEntry): Problem | undefined {
    for (const address of entry.addresses) {
      const reason = this.#reasonOf(entry, address);
      if (reason !== undefined) return problemAt('error', entry.origin, 'ip', reason);
    }
    return undefined;
  }

  #reasonOf(entry: AddressEntry, address: Prefix): string | undefined {
    const text = formatPrefix(address);
    const same = this.#addresses.get(text);
    if (same !== undefined) return `${text} is the address of ${same} already; write another one`;
    const network = networkOf(address, this.#networks);
    if (network === undefined) return undefined;
    return placeFault(address, network) ?? this.#secondIn(entry, address, network);
  }

  /** A container has one address of a family in a network. */
  #secondIn(entry: AddressEntry, address: Prefix, network: NetworkEntry): string | undefined {
    const other = this.#ends.get(endOf(entry, address, network) ?? '');
    if (other === undefined) return undefined;
    const name = quote(entry.container ?? entry.selector ?? '');
    return `${name} has an address of IPv${address.family} in ${network.origin.path} by ${other} already; remove one`;
  }
}

const endOf = (
  { container, selector }: AddressEntry,
  { family }: Prefix,
  network: NetworkEntry | undefined,
): string | undefined => {
  const name = container ?? selector;
  return name === undefined || network === undefined
    ? undefined
    : JSON.stringify([bare(name), family, network.origin.path]);
};

/** Why no container can have it. */
function placeFault(address: Prefix, network: NetworkEntry): string | undefined {
  const subnet = network.subnets.find(({ prefix }) => contains(prefix, address));
  if (subnet === undefined) return undefined;
  const text = formatPrefix(address);
  if (isUnusable(subnet.prefix, address))
    return `${text} cannot be the address of a container in ${formatPrefix(subnet.prefix)}`;
  return subnet.gateway !== undefined && contains(subnet.gateway, address)
    ? `${text} is the gateway of ${network.origin.path}; write another address`
    : undefined;
}

/** The network of the file in which an address is. */
export const networkOf = (address: Prefix, networks: readonly NetworkEntry[]): NetworkEntry | undefined =>
  networks.find(({ subnets }) => subnets.some(({ prefix }) => contains(prefix, address)));
