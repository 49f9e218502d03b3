/**
 * The ports guard's openings: a container's port is open while there is a service at it, or by hand. A container that
 * says itself who may call is open to these callers alone, and its published ports need no service.
 */
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { Transport } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';
import { type ContainerCallers, callersAt } from './callers.ts';
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

/** A port of a container that these callers may reach, at all of its addresses. */
interface OpenPort extends Endpoint {
  readonly protocol: Transport;
  /** Of both families. */
  readonly from: Opening['from'];
  readonly text: string;
}

export interface PortSettings {
  readonly byHand?: PersistedPorts;
  /** Of the containers that say themselves who may call. */
  readonly callers?: ReadonlyMap<ContainerId, ContainerCallers>;
}

/** `containers`: those on guarded bridges. */
export function portsOf(
  found: readonly FoundService[],
  containers: readonly Container[],
  { byHand = new Map(), callers = new Map() }: PortSettings = {},
): Ports {
  const automatic = [
    ...found.flatMap((service) => service.at.flatMap((one) => registered(service, one, callers))),
    ...containers.flatMap((container) => called(container, callers.get(container.id))),
  ];
  const openPorts = [
    ...automatic.filter((one) => !isByHand(one, byHand)),
    ...containers.flatMap((container) => openedByHand(container, byHand)),
  ].filter(({ from }) => from.length > 0);
  const open = Map.groupBy(openPorts, ({ container, protocol, port }) => portKey(container, protocol, port));
  return {
    openings: openPorts.flatMap(openingsOf),
    proxied: containers.flatMap((container) => proxiedPorts(container, open)),
  };
}

const portKey = ({ id }: Container, protocol: Transport, port: number): string => `${id} ${protocol} ${port}`;

export const addressesOf = ({ networks }: Container): readonly Prefix[] =>
  networks.flatMap(({ ipv4, ipv6 }) => [
    ...(ipv4 === undefined ? [] : [ipv4]),
    ...(ipv6 === undefined ? [] : [ipv6]),
  ]);

/** A service is open to anyone, unless its container says who may call. */
function registered(
  { text, protocol }: FoundService,
  { container, port }: Endpoint,
  callers: ReadonlyMap<ContainerId, ContainerCallers>,
): readonly OpenPort[] {
  const limit = callers.get(container.id);
  if (limit?.isLimiting !== true) return [{ container, port, protocol, from: 'anyone', text }];
  const from = callersAt(limit.entries, protocol, port);
  return [{ container, port, protocol, from, text: `${text}, for ${limit.text}` }];
}

/** What is published for this host alone stays so. */
function called(container: Container, callers: ContainerCallers | undefined): readonly OpenPort[] {
  if (callers === undefined) return [];
  const { ofRunner, text } = callers;
  const published = container.ports.filter(({ host }) => !isLoopback(host));
  const distinct = new Map(
    published.map((one) => [portKey(container, one.protocol, one.containerPort), one]),
  );
  return [...distinct.values()].map(({ protocol, containerPort: port }) => ({
    ...{ container, port, protocol, text },
    from: callersAt(ofRunner, protocol, port),
  }));
}

/** An address of the other family is no caller of it. */
const openingsOf = ({ container, protocol, port, from, text }: OpenPort): readonly Opening[] =>
  addressesOf(container)
    .map((to) => ({
      ...{ to, protocol, port, from: from === 'anyone' ? from : ofFamily(from, to) },
      origin: { text, since: container.startedAt },
    }))
    .filter((one) => one.from.length > 0);

const isByHand = ({ container, protocol, port }: OpenPort, byHand: PersistedPorts): boolean =>
  overridesOf(container, byHand).some((one) => isSamePort(one, { protocol, port }));

const openedByHand = (container: Container, byHand: PersistedPorts): readonly OpenPort[] =>
  overridesOf(container, byHand)
    .filter(({ kind }) => kind === 'open')
    .map(({ protocol, port, from }) => ({
      ...{ container, protocol, port, from },
      text: `opened by hand (${container.name})`,
    }));

const ofFamily = (prefixes: readonly Prefix[], { family }: Prefix): readonly Prefix[] =>
  prefixes.filter((one) => one.family === family);

/** Docker's proxy carries calls to a published port, whatever family they come by. */
const proxiedPorts = (
  container: Container,
  open: ReadonlyMap<string, readonly OpenPort[]>,
): readonly ProxiedPort[] =>
  container.ports
    .filter(({ host }) => !isLoopback(host))
    .map(({ host, protocol, hostPort, containerPort }) => ({
      ...{ at: host, protocol, port: hostPort },
      from: callersOf(open.get(portKey(container, protocol, containerPort)) ?? [], host),
    }));

function callersOf(open: readonly OpenPort[], at: Prefix): ProxiedPort['from'] {
  if (open.some(({ from }) => from === 'anyone')) return 'anyone';
  const sources = mergedSources(open.map(({ from }) => (from === 'anyone' ? [] : ofFamily(from, at))));
  return sources.length === 0 ? 'nobody' : sources;
}
