/**
 * Static addresses of the file against the containers that run: which are to be attached, and which addresses another
 * container has.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import { gatewayOf, type Network, type Subnet } from '../../inventory/network.ts';
import { contains, formatPrefix, type Prefix } from '../../net/address.ts';
import { isUnusable } from './addresses.ts';
import { networkOf } from './consistency.ts';
import { containerNamed, containersNamed, holderOf } from './containers.ts';
import type { AddressEntry, DesiredAttachment, NetworkEntry } from './model.ts';
import { bare } from './names.ts';
import { problemAt } from './problems.ts';

export interface PlannedAttachments {
  readonly attachments: readonly DesiredAttachment[];
  readonly problems: readonly Problem[];
  /** Addresses of the file that another container has. */
  readonly taken: readonly Prefix[];
}

export interface Present {
  readonly containers: readonly Container[];
  readonly ofDocker: readonly Network[];
  /** Of the file. */
  readonly networks: readonly NetworkEntry[];
  /** Networks of the file that are made first. */
  readonly missing: readonly NetworkEntry[];
}

export function planAttachments(entries: readonly AddressEntry[], present: Present): PlannedAttachments {
  const found = entries.flatMap((entry) => placesOf(entry, present));
  return {
    attachments: merged(found.flatMap(({ attachment }) => attachment ?? [])),
    problems: found.flatMap(({ problem }) => problem ?? []),
    taken: found.flatMap(({ taken }) => taken ?? []),
  };
}

interface Place {
  readonly attachment?: DesiredAttachment;
  readonly problem?: Problem;
  readonly taken?: Prefix;
}

function placesOf(entry: AddressEntry, present: Present): readonly Place[] {
  const { container: name, selector, origin, addresses } = entry;
  const names = [name, selector];
  const named = containerNamed(names, present.containers);
  if (named === undefined || !('reason' in named))
    return addresses.map((address) => placeOf(entry, address, named, present));
  const meant = containersNamed(names, present.containers);
  return [
    { problem: problemAt('error', origin, undefined, named.reason) },
    ...addresses.flatMap((address) => takenBy(entry, address, meant, present) ?? []),
  ];
}

/** Undefined: it is free, or one of the containers that are meant has it. */
function takenBy(
  { origin }: AddressEntry,
  address: Prefix,
  meant: readonly Container[],
  { containers }: Present,
): Place | undefined {
  const holder = holderOf(address, containers);
  if (holder === undefined || meant.some(({ id }) => id === holder.id)) return undefined;
  const reason = `${formatPrefix(address)} is the address of the container ${quote(holder.name)}; nothing that names it counts until that container is gone`;
  return { taken: address, problem: problemAt('error', origin, 'ip', reason) };
}

/** `container`: undefined while it does not run. */
function placeOf(
  entry: AddressEntry,
  address: Prefix,
  container: Container | undefined,
  present: Present,
): Place {
  const taken = takenBy(entry, address, container === undefined ? [] : [container], present);
  if (taken !== undefined) return taken;
  if (container === undefined || holderOf(address, present.containers) !== undefined) return {};
  const { origin, container: called, selector } = entry;
  const network = networkAt(address, present);
  const reason =
    network === undefined
      ? withoutNetwork(address)
      : (foreignFault(network, address, present) ?? faultOf(container, network, address));
  if (reason !== undefined) return { problem: problemAt('error', origin, 'ip', reason) };
  if (network === undefined) return {};
  const { id: containerId, name } = container;
  const otherNames = [called, selector].flatMap((one) => (one === undefined || one === name ? [] : one));
  return {
    attachment: {
      containerId,
      container: name,
      network: network.name,
      subnets: network.subnets.map(({ prefix }) => prefix),
      addresses: [address],
      otherNames,
      origin,
    },
  };
}

interface Where {
  readonly name: string;
  /** Undefined: it is made first. */
  readonly known: Network | undefined;
  readonly subnets: readonly Subnet[];
}

function networkAt(address: Prefix, { ofDocker, missing }: Present): Where | undefined {
  const known = ofDocker.find(({ subnets }) => subnets.some(({ prefix }) => contains(prefix, address)));
  const coming = known ?? networkOf(address, missing);
  if (coming === undefined) return undefined;
  return { name: coming.name, known, subnets: coming.subnets };
}

const withoutNetwork = (address: Prefix): string =>
  `${formatPrefix(address)} is in no network that Docker has, and in none that this file makes; add its network, or write another address`;

/** The file has the address in one network, and Docker in another. */
function foreignFault({ name }: Where, address: Prefix, { networks }: Present): string | undefined {
  const own = networkOf(address, networks);
  return own === undefined || bare(own.name) === bare(name)
    ? undefined
    : `${formatPrefix(address)} is in the network ${quote(own.name)} of this file, and Docker has it in ${quote(name)}; left as it is: remove one of these networks`;
}

/** Why the container cannot get the address there. It does not have it yet. */
function faultOf({ network, name, networks }: Container, where: Where, address: Prefix): string | undefined {
  if (network.kind !== 'own') {
    const whose = network.kind === 'host' ? "this host's network" : 'the network of another container';
    return `container ${quote(name)} uses ${whose}, and takes no address; start it without that`;
  }
  const end = networks.find(({ id }) => id === where.known?.id);
  if (end === undefined) return where.known && placeFault(address, where.known);
  const own = address.family === 4 ? end.ipv4 : end.ipv6;
  const has = own === undefined ? `no address of IPv${address.family}` : formatPrefix(own);
  return `container ${quote(name)} has ${has} in the network ${quote(where.name)}, not ${formatPrefix(address)}; left as it is: disconnect it from that network (docker network disconnect)`;
}

/** Docker would refuse it, each time. */
function placeFault(address: Prefix, { name, subnets, bridge }: Network): string | undefined {
  const subnet = subnets.find(({ prefix }) => contains(prefix, address));
  if (subnet === undefined) return undefined;
  const text = formatPrefix(address);
  if (isUnusable(subnet.prefix, address))
    return `${text} cannot be the address of a container in ${formatPrefix(subnet.prefix)}`;
  return bridge !== undefined && contains(gatewayOf(subnet), address)
    ? `${text} is the gateway of Docker's network ${quote(name)}; write another address`
    : undefined;
}

/**
 * Both families of a container in one network are one attachment. Of two addresses of one family the first counts, and the
 * next plan reports the other.
 */
function merged(attachments: readonly DesiredAttachment[]): readonly DesiredAttachment[] {
  const groups = Map.groupBy(attachments, ({ containerId, network }) =>
    JSON.stringify([containerId, network]),
  );
  return [...groups.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    const all = [first, ...others].flatMap((one) => one.addresses);
    const addresses = ([4, 6] as const).flatMap((family) => all.find((one) => one.family === family) ?? []);
    return { ...first, addresses };
  });
}
