/**
 * The services of Consul's catalog, at containers of this host.
 *
 * Whoever deregisters a service may miss that its container has ended. The Engine then gives the address to another
 * container, which must not be open by that. So a registration counts for the containers that it was first matched
 * with, until it is made anew. A port of this host that a container was told to publish is not assigned by the Engine: a
 * service there counts for any container that publishes it.
 *
 * An address of the Engine's networks is never one of this host, except for their gateways: a service of one container
 * opens nothing of another that publishes the same port.
 */
import type { Problem } from '../../common/problem.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { gatewayOf, type Networks, type PortBinding, type Subnet } from '../../inventory/network.ts';
import { type NodeService, UNKNOWN_NODE } from '../../inventory/service.ts';
import { comparePrefixes, contains, formatPrefix, type Prefix } from '../../net/address.ts';
import { isLoopback } from './forwards.ts';
import { addressesOf, type Endpoint, type FoundService } from './ports.ts';

/** Registrations, with the containers that each was first matched with. */
export type MatchedContainers = ReadonlyMap<string, readonly ContainerId[]>;

export interface RegisteredServices {
  readonly found: readonly FoundService[];
  readonly problems: readonly Problem[];
  /** For the next time. */
  readonly matched: MatchedContainers;
}

/** What runs on this host. */
export interface Running {
  readonly containers: readonly Container[];
  /** Those of them that are on guarded bridges. */
  readonly guarded: readonly Container[];
  readonly networks: Networks;
}

/** `before`: what was matched the last time. */
export function registeredServices(
  services: readonly NodeService[],
  running: Running,
  before: MatchedContainers,
): RegisteredServices {
  const { networks } = running;
  const find = finderOf(running);
  const matches = services.map((service) => match(service, find(service), before.get(service.registration)));
  return {
    found: matches.map(({ service, at }) => ({
      text: `the service ${placeOf(service)} (${at.map(({ container }) => container.name).join(', ')})`,
      ...{ protocol: service.protocol, at },
    })),
    problems: matches.flatMap((one) => problemsOf(one, networks)),
    matched: new Map(
      matches.flatMap(({ service, ids }) => (ids.length === 0 ? [] : [[service.registration, ids] as const])),
    ),
  };
}

/** With a wrong name no service is found, and every port is closed. `node`: this host's name in Consul. */
export const nodeProblems = (services: readonly NodeService[], node: string): readonly Problem[] =>
  services === UNKNOWN_NODE
    ? [
        {
          severity: 'error',
          text: node,
          reason: `Consul has no node ${node}, so no service of this host is known and no port is opened by one; give --node the name that the Consul agent of this host has`,
        },
      ]
    : [];

/** `isAssigned`: the Engine chose the address or the port. */
interface Found extends Endpoint {
  readonly isAssigned: boolean;
}

interface Match {
  readonly service: NodeService;
  readonly at: readonly Found[];
  /** Those at the same place for whom the service was not registered. */
  readonly others: readonly Found[];
  readonly ids: readonly ContainerId[];
}

function match(service: NodeService, all: readonly Found[], before: readonly ContainerId[] = []): Match {
  const assigned = all.filter(({ isAssigned }) => isAssigned).map(({ container }) => container.id);
  const ids = before.length > 0 ? before : assigned;
  const isMeant = ({ isAssigned, container }: Found) => !isAssigned || ids.includes(container.id);
  return { service, at: all.filter(isMeant), others: all.filter((one) => !isMeant(one)), ids };
}

/** A service is registered at an address of its container, or at a port of this host that leads there. */
function finderOf({ containers, guarded, networks }: Running): (service: NodeService) => readonly Found[] {
  const byAddress = new Map<string, Container>();
  for (const container of guarded)
    for (const address of addressesOf(container)) byAddress.set(formatPrefix(address), container);
  const taken = new Set(containers.flatMap((one) => addressesOf(one).map(formatPrefix)));
  const byHostPort = Map.groupBy(guarded.flatMap(reachableBindings), ({ binding: { protocol, hostPort } }) =>
    hostPortKey(protocol, hostPort),
  );
  return ({ address, port, protocol }) => {
    const container = byAddress.get(formatPrefix(address));
    if (container !== undefined) return [{ container, port, isAssigned: true }];
    if (taken.has(formatPrefix(address)) || isInside(address, networks)) return [];
    return (byHostPort.get(hostPortKey(protocol, port)) ?? [])
      .filter(({ binding }) => contains(binding.host, address))
      .map((one) => ({
        ...{ container: one.container, port: one.binding.containerPort },
        isAssigned: one.binding.isAssigned === true,
      }));
  };
}

/** What is published at loopback alone is for this host, whatever is registered there. */
const reachableBindings = (container: Container): readonly { container: Container; binding: PortBinding }[] =>
  container.ports.filter(({ host }) => !isLoopback(host)).map((binding) => ({ container, binding }));

const hostPortKey = (protocol: string, port: number): string => `${protocol} ${port}`;

function problemsOf({ service, at, others, ids }: Match, networks: Networks): readonly Problem[] {
  const [other] = others;
  if (other !== undefined) return [problem(service, takenBy(service, other.container))];
  if (at.length > 0 || !isInBridge(service.address, networks)) return [];
  const end =
    ids.length > 0
      ? 'deregister it'
      : 'deregister it, or it opens that port of whoever gets the address next';
  return [problem(service, `the service ${placeOf(service)} is registered where no container runs; ${end}`)];
}

const takenBy = (service: NodeService, { name }: Container): string =>
  `the service ${placeOf(service)} was registered for a container that is gone, and opens nothing for ${name}, which is there now; deregister it, or register it anew for ${name}`;

const problem = ({ name }: NodeService, reason: string): Problem => ({
  severity: 'warning',
  text: name,
  reason,
});

const placeOf = ({ name, address, protocol, port }: NodeService): string =>
  `${name} at ${formatPrefix(address)}:${protocol}/${port}`;

const isInBridge = (address: Prefix, networks: Networks): boolean =>
  subnetsOf(networks).some(({ prefix }) => contains(prefix, address));

/** In a bridge's subnet, and not the bridge itself. */
const isInside = (address: Prefix, networks: Networks): boolean => {
  const around = subnetsOf(networks).filter(({ prefix }) => contains(prefix, address));
  return around.length > 0 && !around.some((one) => comparePrefixes(gatewayOf(one), address) === 0);
};

const subnetsOf = (networks: Networks): readonly Subnet[] =>
  [...networks.values()].flatMap(({ bridge, subnets }) => (bridge === undefined ? [] : subnets));
