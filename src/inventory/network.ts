/**
 * The networks of the Engine, and the addresses and ports that the Engine assigns to containers.
 */
import { type Prefix, prefixOf, WIDTH } from '../net/address.ts';

export type NetworkId = string;

export interface Network {
  readonly id: NetworkId;
  readonly name: string;
  /** `bridge`, `macvlan`, `host`, or that of a plugin. */
  readonly driver: string;
  /** Docker isolates it from other networks, and publishes no port of it. */
  readonly isInternal: boolean;
  /** Of both families; none for Docker's networks `host` and `none`. */
  readonly subnets: readonly Subnet[];
  /** The interface on the Engine's host; undefined with another driver than `bridge`. */
  readonly bridge: string | undefined;
  /** The options of the driver: `com.docker.network.bridge.enable_ip_masquerade` → `false`. */
  readonly options: Readonly<Record<string, string>>;
}

export type Networks = ReadonlyMap<NetworkId, Network>;

export interface Subnet {
  readonly prefix: Prefix;
  /**
   * One address; undefined if the Engine does not report it, for example for a subnet without a configured gateway.
   */
  readonly gateway: Prefix | undefined;
}

/** The Engine does not report a gateway that it chose by itself, which is the first address of the subnet. */
export const gatewayOf = ({ prefix: { family, address }, gateway }: Subnet): Prefix =>
  gateway ?? prefixOf(family, address + 1n, WIDTH[family]);

/** A container's endpoint in a network, with the addresses that the Engine assigned. */
export interface Attachment {
  readonly id: NetworkId;
  readonly name: string;
  readonly endpoint: string;
  readonly ipv4: Prefix | undefined;
  readonly ipv6: Prefix | undefined;
  /** Of several networks, that of the highest priority has the default route; absent: 0. */
  readonly gatewayPriority?: number;
  /** The names of the container for others on the network, besides its own; absent: none. */
  readonly aliases?: readonly string[];
  /** The names that this container alone has for others on the network; absent: none. */
  readonly links?: readonly Link[];
  /** The Engine reports no gateway for it. */
  readonly lacksGateway?: boolean;
}

/** Of `docker run --link`, or `links` of compose. */
export interface Link {
  /** The name of a container, or one of its other names. */
  readonly to: string;
  readonly name: string;
}

/**
 * Whether the container has an interface in the network. After an attachment that failed, the Engine lists the endpoint with
 * its addresses all the same, but without a gateway, until the container starts again, even if the network is removed. On an
 * internal network no endpoint need have a gateway, so there it is taken as attached. `network`: that of the endpoint, if
 * there is one.
 */
export const isAttached = (
  { lacksGateway = false }: Attachment,
  network: Pick<Network, 'bridge' | 'isInternal' | 'options'> | undefined,
): boolean =>
  network !== undefined && (!lacksGateway || network.bridge === undefined || !hasGateways(network));

const hasGateways = ({ isInternal, options }: Pick<Network, 'isInternal' | 'options'>): boolean =>
  !isInternal && options['com.docker.network.bridge.inhibit_ipv4'] !== 'true';

export type Transport = 'tcp' | 'udp' | 'sctp';

/**
 * A port of the host that the Engine has bound to a port of a running container. A range has one entry for each port.
 */
export interface PortBinding {
  readonly protocol: Transport;
  readonly containerPort: number;
  /** One address of the host; `0.0.0.0/0` or `::/0` for all of a family. */
  readonly host: Prefix;
  readonly hostPort: number;
  /** True if the Engine chose the host's port, because the runner named none or several. */
  readonly isAssigned?: boolean;
}
