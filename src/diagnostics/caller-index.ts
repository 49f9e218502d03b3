/**
 * Finds whose address a caller has: services of Consul's catalog, a container of this host, or the gateway of a network,
 * which stands for callers whose own address is hidden.
 */

import { gatewayOf } from '../inventory/network.ts';
import { formatPrefix, type Prefix, parseAddress } from '../net/address.ts';
import type { Catalog } from '../policy/compile.ts';
import { containerNames } from './host-view.ts';
import { callersIn, type Neighbours } from './ingress-snapshot.ts';

export interface Caller {
  readonly host: Prefix;
  /** Sorted. */
  readonly services: readonly string[];
  readonly container: string | undefined;
  /** The name of the network whose gateway it is. */
  readonly gatewayOf: string | undefined;
}

/** Returns who has an address now. */
export function callerIndex(catalog: Catalog, neighbours: Neighbours | undefined): (host: Prefix) => Caller {
  const services = servicesByAddress(callersIn(catalog, neighbours));
  const gateways = gatewaysOf(neighbours);
  const containerAt = containerNames([...(neighbours?.containers.values() ?? [])]);
  return (host) => {
    const text = formatPrefix(host);
    return {
      ...{ host, container: containerAt(host), gatewayOf: gateways.get(text) },
      services: services.get(text) ?? [],
    };
  };
}

function servicesByAddress(catalog: Catalog): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, Set<string>>();
  for (const [service, instances] of catalog)
    for (const { address } of instances) {
      const parsed = parseAddress(address);
      const text = parsed === undefined ? address : formatPrefix(parsed);
      names.set(text, (names.get(text) ?? new Set()).add(service));
    }
  return new Map([...names].map(([address, found]) => [address, [...found].sort()]));
}

function gatewaysOf(neighbours: Neighbours | undefined): ReadonlyMap<string, string> {
  const networks = [...(neighbours?.networks?.values() ?? [])].filter(({ driver }) => driver === 'bridge');
  return new Map(
    networks.flatMap(({ name, subnets }) =>
      subnets.map((subnet) => [formatPrefix(gatewayOf(subnet)), name] as const),
    ),
  );
}
