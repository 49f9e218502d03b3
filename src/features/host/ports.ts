/**
 * The ports guard's openings: a container's port is open while there is a service at it, or by hand.
 */
import type { Container } from '../../inventory/container.ts';
import type { Transport } from '../../inventory/network.ts';
import { formatPrefix, type Prefix } from '../../net/address.ts';
import { mergedSources } from './canonical.ts';
import { isLoopback } from './forwards.ts';
import type { Opening, ProxiedPort } from './model.ts';
import { isSamePort, overridesOf, type PersistedPorts } from './port-overrides.ts';

/** A service, with the ports of containers that it stands for. */
export interface FoundService {
  /** For people: `the service web of shop`. */
  readonly text: string;
  readonly protocol: Transport;
  readonly at: readonly Endpoint[];
}

/** A port of a container. */
export interface Endpoint {
  readonly container: Container;
  readonly port: number;
}

export interface Ports {
  readonly openings: readonly Opening[];
  readonly proxied: readonly ProxiedPort[];
}

/** `containers`: those on guarded bridges. */
export function portsOf(
  found: readonly FoundService[],
  containers: readonly Container[],
  byHand: PersistedPorts = new Map(),
): Ports {
  const openings = [
    ...found.flatMap((service) =>
      service.at.filter((one) => !isByHand(service, one, byHand)).flatMap((one) => openingsOf(service, one)),
    ),
    ...containers.flatMap((container) => openedByHand(container, byHand)),
  ];
  const open = Map.groupBy(openings, (one) => portKey(one.to, one.protocol, one.port));
  return { openings, proxied: containers.flatMap((container) => proxiedPorts(container, open)) };
}

const portKey = (address: Prefix, protocol: Transport, port: number): string =>
  `${formatPrefix(address)} ${protocol} ${port}`;

export const addressesOf = ({ networks }: Container): readonly Prefix[] =>
  networks.flatMap(({ ipv4, ipv6 }) => [
    ...(ipv4 === undefined ? [] : [ipv4]),
    ...(ipv6 === undefined ? [] : [ipv6]),
  ]);

/** A service stands for the port of its container, so that all addresses of the container are open there. */
const openingsOf = ({ text, protocol }: FoundService, { container, port }: Endpoint): readonly Opening[] =>
  addressesOf(container).map((to) => ({
    ...{ to, protocol, port, from: 'anyone' },
    origin: { text, since: container.startedAt },
  }));

const isByHand = (
  { protocol }: FoundService,
  { container, port }: Endpoint,
  byHand: PersistedPorts,
): boolean => overridesOf(container, byHand).some((one) => isSamePort(one, { protocol, port }));

const openedByHand = (container: Container, byHand: PersistedPorts): readonly Opening[] =>
  overridesOf(container, byHand)
    .filter(({ kind }) => kind === 'open')
    .flatMap(({ protocol, port, from }) =>
      addressesOf(container).map((to) => ({
        ...{ to, protocol, port, from: from === 'anyone' ? from : ofFamily(from, to) },
        origin: { text: `opened by hand (${container.name})`, since: container.startedAt },
      })),
    )
    .filter(({ from }) => from.length > 0);

const ofFamily = (prefixes: readonly Prefix[], { family }: Prefix): readonly Prefix[] =>
  prefixes.filter((one) => one.family === family);

/** Docker's proxy carries calls to a published port, whatever family they come by. */
function proxiedPorts(
  container: Container,
  open: ReadonlyMap<string, readonly Opening[]>,
): readonly ProxiedPort[] {
  const addresses = addressesOf(container);
  return container.ports
    .filter(({ host }) => !isLoopback(host))
    .map(({ host, protocol, hostPort, containerPort }) => ({
      ...{ at: host, protocol, port: hostPort },
      from: callersOf(
        addresses.flatMap((address) => open.get(portKey(address, protocol, containerPort)) ?? []),
      ),
    }));
}

function callersOf(openings: readonly Opening[]): ProxiedPort['from'] {
  if (openings.some(({ from }) => from === 'anyone')) return 'anyone';
  const sources = mergedSources(openings.map(({ from }) => (from === 'anyone' ? [] : from)));
  return sources.length === 0 ? 'nobody' : sources;
}
