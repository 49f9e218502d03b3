/**
 * What networks.json says, and what follows from it for Docker, this host and the namespaces of containers.
 */
import type { NamespaceId } from '../../inventory/namespace.ts';
import type { Subnet, Transport } from '../../inventory/network.ts';
import type { Family, Prefix } from '../../net/address.ts';
import type { Range } from '../../net/ranges.ts';
import type { Origin } from './problems.ts';

/** A network that Docker is to have. */
export interface NetworkEntry {
  /** Docker's name of it. */
  readonly name: string;
  /** The name of the entry. */
  readonly key: string;
  /** At most one of each family. */
  readonly subnets: readonly Subnet[];
  readonly origin: Origin;
}

/** A container's static address of one family or of both. */
export interface AddressEntry {
  readonly key: string;
  readonly addresses: readonly Prefix[];
  readonly container: string | undefined;
  readonly selector: string | undefined;
  readonly service: string | undefined;
  readonly origin: Origin;
}

/** The names by which a policy gives its target. */
export interface TargetNames {
  readonly to: string | undefined;
  readonly selector: string | undefined;
  readonly container: string | undefined;
  readonly service: string | undefined;
}

interface PolicyBase {
  readonly target: TargetNames;
  readonly protocol: Transport;
  readonly origin: Origin;
}

export type PolicyEntry =
  /** `from` may reach the target. */
  | (PolicyBase & { readonly kind: 'permit'; readonly from: string; readonly range: Range })
  /** A port of this host leads to the target. */
  | (PolicyBase & {
      readonly kind: 'host';
      readonly device: string;
      readonly port: number;
      readonly toPort: number;
      /** The container that may be meant instead, as `where` does not tell. */
      readonly perhapsIn: string | undefined;
    })
  /** A port of a container leads to the target. */
  | (PolicyBase & {
      readonly kind: 'container';
      readonly inside: string;
      /** Undefined: on any of its devices. */
      readonly device: string | undefined;
      readonly port: number;
      readonly toPort: number;
    });

/** What the good entries of a file say. */
export interface NetworksFile {
  readonly networks: readonly NetworkEntry[];
  readonly addresses: readonly AddressEntry[];
  readonly policies: readonly PolicyEntry[];
}

/** Packets that may cross from one network to another, whatever Docker says. */
export interface Permit {
  readonly from: Prefix;
  readonly to: Prefix;
  readonly protocol: Transport;
  readonly range: Range;
  readonly origin: Origin;
}

/** A port of this host, on one of its devices, that leads to an address. */
export interface HostForward {
  readonly device: string;
  readonly protocol: Transport;
  readonly port: number;
  readonly to: Prefix;
  readonly toPort: number;
  readonly origin: Origin;
}

/** The same in the namespace of a container. */
export interface ContainerForward extends Omit<HostForward, 'device'> {
  /** The container's name in the file. */
  readonly inside: string;
  /** Undefined: on any of its devices. */
  readonly device: string | undefined;
}

/** What follows from the policies alone, whatever runs. */
export interface ResolvedPolicies {
  readonly permits: readonly Permit[];
  readonly hostForwards: readonly HostForward[];
  readonly containerForwards: readonly ContainerForward[];
}

/** A container that is to be attached to a network with these addresses. */
export interface DesiredAttachment {
  readonly containerId: string;
  readonly container: string;
  /** Docker's name of the network. */
  readonly network: string;
  /** Of that network. */
  readonly subnets: readonly Prefix[];
  /** One of a family at most. */
  readonly addresses: readonly Prefix[];
  /** Of the entry, but the container's own: a container with exactly such a name may be meant, though it does not run. */
  readonly otherNames: readonly string[];
  readonly origin: Origin;
}

/** The way from a container's namespace to an address, through the gateway of one of its networks. */
export interface Route {
  readonly to: Prefix;
  readonly via: Prefix;
  readonly origin: Origin;
}

/** Ports of a container's namespace that lead elsewhere, and its routes. */
export interface InnerRules {
  /** A container in the namespace, for people. */
  readonly container: string;
  readonly forwards: readonly ContainerForward[];
  readonly routes: readonly Route[];
}

/** All that is to be there, for the containers and networks that are there. */
export interface DesiredNetworks {
  /** Those that Docker lacks. */
  readonly networks: readonly NetworkEntry[];
  /** Those that containers lack. */
  readonly attachments: readonly DesiredAttachment[];
  readonly permits: readonly Permit[];
  readonly hostForwards: readonly HostForward[];
  readonly inner: ReadonlyMap<NamespaceId, InnerRules>;
  /** The families whose packets this host must forward, and does not as far as known. */
  readonly forwarding: readonly Family[];
}
