/**
 * What the host's rules say: which container ports are open to callers from elsewhere, and where ports of the host lead.
 */
import type { Transport } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';
import type { Range } from '../../net/ranges.ts';

/** Where a rule comes from. */
export interface Origin {
  /** For people: `service web of node n1`, `published by web`. */
  readonly text: string;
  /** When its claim began, RFC 3339; of two claims to one port the older one keeps it. */
  readonly since: string;
  /** The name of the container that claims it, which may have stopped since. */
  readonly container?: string;
}

/** A container's port that callers may reach. Ports are 1 to 65,535. */
export interface Opening {
  /** An address of a container, as a prefix of one host. */
  readonly to: Prefix;
  readonly protocol: Transport;
  readonly port: number;
  readonly from: readonly Prefix[] | 'anyone';
  readonly origin: Origin;
}

/** Which packets to this host a forward takes. */
export type At =
  /** To any address of this host, of the target's family. */
  | { readonly kind: 'any' }
  | { readonly kind: 'address'; readonly address: Prefix }
  /** That come in on this device. */
  | { readonly kind: 'device'; readonly name: string };

/** A port of this host that leads to a container. */
export interface Forward {
  readonly at: At;
  readonly protocol: Transport;
  readonly port: number;
  readonly to: Prefix;
  readonly toPort: number;
  readonly origin: Origin;
}

/** Callers that reach addresses on other networks of this host, whatever other firewalls say of it. */
export interface Permit {
  readonly from: Prefix;
  /** Of the same family. */
  readonly to: Prefix;
  readonly protocol: Transport;
  readonly range: Range;
  readonly origin: Origin;
}

/** A bridge of the Engine on this host. */
export interface Bridge {
  /** The device, at most 15 characters that nft can take as a name. */
  readonly name: string;
  readonly subnets: readonly Prefix[];
  /** Only openings lead to its containers. */
  readonly isGuarded: boolean;
  /** Those of its subnets from which other networks are reached in this host's name. */
  readonly masqueraded: readonly Prefix[];
}

/** A port of this host at which Docker's proxy listens for a guarded container. */
export interface ProxiedPort {
  /** One address of this host, or all of a family: `0.0.0.0/0`, `::/0`. */
  readonly at: Prefix;
  readonly protocol: Transport;
  readonly port: number;
  readonly from: readonly Prefix[] | 'anyone' | 'nobody';
}

export interface Guard {
  /** `observe`: what would be denied is recorded, and passes. */
  readonly mode: 'observe' | 'enforce';
  readonly families: readonly (4 | 6)[];
  /** Whether callers on another bridge need an opening too. */
  readonly isBetween: boolean;
  /** A bridge that the Engine makes later is closed until it is listed. Default: it is open until then. */
  readonly guardsNewBridges?: boolean;
}

/** Canonical: equal sets of rules are equal in all their fields. */
export interface HostRuleSet {
  readonly bridges: readonly Bridge[];
  /** Undefined: no port is guarded. */
  readonly guard: Guard | undefined;
  readonly openings: readonly Opening[];
  readonly proxied: readonly ProxiedPort[];
  readonly forwards: readonly Forward[];
  readonly permits: readonly Permit[];
}
