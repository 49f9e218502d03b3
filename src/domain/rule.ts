/**
 * The grammar of one rule: a line of an ACL key's value.
 *
 * `10.50.128.0/24:tcp/80,443,8000-8100` names addresses, `production.postgresql@dc2:udp` names a
 * service of Consul's catalog. Parsing never throws and never guesses: a line is a rule or a problem.
 */
import type { Prefix } from './address.ts';

/** `icmp` means ICMPv6 where the address is IPv6. */
export type Protocol = 'tcp' | 'udp' | 'icmp';

/** Ports 0–65535 of tcp and udp, or types 0–255 of ICMP; both ends included. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** Traffic to a prefix. `ranges` is never empty; "all ports" is 0–65535, "all types" 0–255. */
export interface AddressRule {
  readonly kind: 'address';
  readonly prefix: Prefix;
  readonly protocol: Protocol;
  readonly ranges: readonly Range[];
}

/** Traffic to every registered instance of a service, at the instance's own address and port. */
export interface ServiceRule {
  readonly kind: 'service';
  readonly service: string;
  readonly tag: string | undefined;
  readonly datacenter: string | undefined;
  readonly protocol: 'tcp' | 'udp';
}

export type Rule = AddressRule | ServiceRule;
