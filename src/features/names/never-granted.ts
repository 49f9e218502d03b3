/**
 * Addresses that no name may lead to, on this host. Whoever controls a zone chooses the addresses in it, and these have
 * services that trust whoever reaches them.
 */
import { gatewayOf, type Networks } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';
import type { SpecialPrefix } from '../../net/special-addresses.ts';

export interface HostAddresses {
  /** Of `--protect`. */
  readonly protectedHosts: readonly Prefix[];
  /** Of this host's interfaces. */
  readonly own: readonly Prefix[];
  /** Of Consul's agent, as far as they are known. */
  readonly consul: readonly Prefix[];
  /** Of the Engine; undefined until they are listed. */
  readonly networks: Networks | undefined;
}

/** Each meaning completes "it is …". */
export const neverGrantedOn = ({
  protectedHosts,
  own,
  consul,
  networks,
}: HostAddresses): readonly SpecialPrefix[] => [
  ...meaning('protected (--protect)', protectedHosts),
  ...meaning('an address of this host', own),
  ...meaning('the address of Consul', consul),
  ...[...(networks?.values() ?? [])].flatMap(({ name, subnets }) =>
    meaning(`the gateway of the network ${name}`, subnets.map(gatewayOf)),
  ),
];

const meaning = (text: string, prefixes: readonly Prefix[]): readonly SpecialPrefix[] =>
  prefixes.map((prefix) => ({ prefix, meaning: text }));
