/**
 * The networks of the Engine, and what the Engine gives a container in them: addresses, and ports of the host.
 */
import type { Prefix } from '../net/address.ts';

export type NetworkId = string;

export interface Network {
  readonly id: NetworkId;
  readonly name: string;
  /** `bridge`, `macvlan`, `host`, or that of a plugin. */
  readonly driver: string;
  /** Docker lets nothing out of it, and publishes no port of it. */
  readonly isInternal: boolean;
  /** Of both families; none for Docker's networks `host` and `none`. */
  readonly subnets: readonly Subnet[];
  /** The interface on the Engine's host; undefined with another driver than `bridge`. */
  readonly bridge: string | undefined;
  /** Of the driver, as they were given: `com.docker.network.bridge.enable_ip_masquerade` → `false`. */
  readonly options: Readonly<Record<string, string>>;
}

export type Networks = ReadonlyMap<NetworkId, Network>;

export interface Subnet {
  readonly prefix: Prefix;
  /** One address; undefined where the Engine does not tell it, as of a subnet that was given without one. */
  readonly gateway: Prefix | undefined;
}

/** A container's end in a network. Addresses are those that the Engine gave it. */
export interface Attachment {
  readonly id: NetworkId;
  readonly name: string;
  readonly endpoint: string;
  readonly ipv4: Prefix | undefined;
  readonly ipv6: Prefix | undefined;
}

export type Transport = 'tcp' | 'udp' | 'sctp';

/** A port of the host that the Engine has bound to a port of a running container. One of each port of a range. */
export interface PortBinding {
  readonly protocol: Transport;
  readonly containerPort: number;
  /** One address of the host; `0.0.0.0/0` or `::/0` for all of a family. */
  readonly host: Prefix;
  /** Chosen by the Engine where the runner named none. */
  readonly hostPort: number;
}
