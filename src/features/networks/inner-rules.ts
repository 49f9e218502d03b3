/**
 * What belongs in the namespaces of containers: their ports that lead elsewhere, and routes where a container has no way
 * of its own. With what this host must permit for both.
 */
import type { Problem } from '../../common/problem.ts';
import { quote } from '../../common/text.ts';
import type { Container } from '../../inventory/container.ts';
import type { NamespaceId, Namespaces, NetworkNamespace } from '../../inventory/namespace.ts';
import {
  type Attachment,
  gatewayOf,
  isAttached,
  type Network,
  type Subnet,
} from '../../inventory/network.ts';
import { comparePrefixes, contains, type Family, type Prefix, WIDTH } from '../../net/address.ts';
import { containerNamed, holderOf } from './containers.ts';
import type { ContainerForward, DesiredAttachment, InnerRules, Permit, Route } from './model.ts';
import { problemAt } from './problems.ts';

export interface PlannedInner {
  readonly inner: ReadonlyMap<NamespaceId, InnerRules>;
  /** For what the containers forward. */
  readonly permits: readonly Permit[];
  readonly problems: readonly Problem[];
}

export interface InnerSurroundings {
  readonly containers: readonly Container[];
  readonly namespaces: Namespaces;
  readonly networks: ReadonlyMap<string, Network>;
  /** To come. */
  readonly attachments: readonly DesiredAttachment[];
}

interface Part {
  readonly namespace: NetworkNamespace;
  readonly container: Container;
  readonly forward?: ContainerForward;
  readonly route?: Route | undefined;
  readonly permit?: Permit | undefined;
}

export function planInner(
  forwards: readonly ContainerForward[],
  permits: readonly Permit[],
  around: InnerSurroundings,
): PlannedInner {
  const problems: Problem[] = [];
  const parts = [
    ...forwards.flatMap((forward) => forwardParts(forward, forwards, around, problems)),
    ...permits.flatMap((permit) => routeParts(permit, around)),
  ];
  const groups = Map.groupBy(parts, ({ namespace }) => namespace.id);
  const inner = [...groups].flatMap(([id, group]): readonly [NamespaceId, InnerRules][] => {
    const [first] = group;
    if (first === undefined) return [];
    const own = group.flatMap(({ forward }) => forward ?? []);
    const routes = withoutRepeated(group.flatMap(({ route }) => route ?? []));
    return [[id, { container: first.container.name, forwards: own, routes }]];
  });
  return { inner: new Map(inner), permits: parts.flatMap(({ permit }) => permit ?? []), problems };
}

function forwardParts(
  forward: ContainerForward,
  forwards: readonly ContainerForward[],
  around: InnerSurroundings,
  problems: Problem[],
): readonly Part[] {
  const { inside, origin, to } = forward;
  const container = containerNamed([inside], around.containers);
  if (container === undefined) return [];
  const fail = (reason: string) => {
    problems.push(problemAt('error', origin, undefined, reason));
    return [];
  };
  if ('reason' in container) return fail(container.reason);
  const namespace = namespaceOf(container, around.namespaces);
  if (namespace === undefined) return [];
  if (namespace.kind === 'host')
    return fail(
      `container ${quote(container.name)} uses this host's network; write "where": "host", and the device as "iface"`,
    );
  const ways = waysOf(namespace.target, around.networks, to.family);
  const isNear = ways.some(({ subnet }) => contains(subnet.prefix, to)) || willBeIn(namespace, to, around);
  if (isNear) return [{ namespace, container, forward }];
  const way = ways.find(({ network }) => !network.isInternal) ?? ways[0];
  if (way === undefined) {
    problems.push(withoutWay(container, forward, forwards, around));
    return [];
  }
  const range = { first: forward.toPort, last: forward.toPort };
  const permit = { from: way.own, to, protocol: forward.protocol, range, origin };
  return [{ namespace, container, forward, permit, route: { to, via: way.gateway, origin } }];
}

/** An error only if the policy has no effect by the other family either. */
function withoutWay(
  container: Container,
  { origin, to: { family } }: ContainerForward,
  forwards: readonly ContainerForward[],
  { networks }: InnerSurroundings,
): Problem {
  const reason = `container ${quote(container.name)} is in no network of IPv${family} with a way to others`;
  const other = forwards.find((one) => one.origin.path === origin.path && one.to.family !== family)?.to
    .family;
  return other !== undefined && waysOf(container, networks, other).length > 0
    ? problemAt('warning', origin, undefined, `${reason}, so its port leads there by IPv${other} alone`)
    : problemAt('error', origin, undefined, `${reason}; attach it to one`);
}

/**
 * The ends of a permit whose way to the other may be another one, or none: a container on several networks has its default
 * route on one of them, and on an internal network it has none. Only to containers: other prefixes keep their way.
 */
function routeParts({ from, to, origin }: Permit, around: InnerSurroundings): readonly Part[] {
  return [[from, to] as const, [to, from] as const].flatMap(([own, other]) => {
    const container = own.length === WIDTH[own.family] ? holderOf(own, around.containers) : undefined;
    const namespace = container && namespaceOf(container, around.namespaces);
    if (container === undefined || namespace?.kind !== 'container') return [];
    const ways = waysOf(namespace.target, around.networks, own.family);
    const way = ways.find((one) => contains(one.own, own));
    if (way === undefined || (ways.length === 1 && !way.network.isInternal)) return [];
    if (!isAmong(other, around.networks) || ways.some(({ subnet }) => contains(subnet.prefix, other)))
      return [];
    if (willBeIn(namespace, other, around)) return [];
    return [{ namespace, container, route: { to: other, via: way.gateway, origin } }];
  });
}

/** Whether it gets an address in the network of this one. Docker attaches no container that has a route into the network. */
const willBeIn = (
  { inside }: NetworkNamespace,
  address: Prefix,
  { attachments }: InnerSurroundings,
): boolean =>
  attachments.some(
    ({ containerId, subnets }) =>
      inside.some(({ id }) => id === containerId) && subnets.some((subnet) => contains(subnet, address)),
  );

const isAmong = (address: Prefix, networks: ReadonlyMap<string, Network>): boolean =>
  [...networks.values()].some(({ subnets }) => subnets.some(({ prefix }) => contains(prefix, address)));

const namespaceOf = ({ id }: Container, namespaces: Namespaces): NetworkNamespace | undefined =>
  [...namespaces.values()].find(({ inside }) => inside.some((one) => one.id === id));

/** A container's end in a network of bridges, and the host's address in it. */
interface Way {
  readonly network: Network;
  readonly subnet: Subnet;
  readonly own: Prefix;
  readonly gateway: Prefix;
}

/** In the order in which Docker prefers them. */
const waysOf = (
  { networks: ends }: Container,
  networks: ReadonlyMap<string, Network>,
  family: Family,
): readonly Way[] =>
  ends
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((end) => wayOf(end, networks.get(end.id), family) ?? []);

function wayOf(end: Attachment, network: Network | undefined, family: Family): Way | undefined {
  const own = family === 4 ? end.ipv4 : end.ipv6;
  if (network?.bridge === undefined || own === undefined || !isAttached(end, network)) return undefined;
  const subnet = network.subnets.find(({ prefix }) => contains(prefix, own));
  return subnet && { network, subnet, own, gateway: gatewayOf(subnet) };
}

/** The first way to an address counts. */
const withoutRepeated = (routes: readonly Route[]): readonly Route[] =>
  routes.filter(({ to }, at) => routes.findIndex((other) => comparePrefixes(other.to, to) === 0) === at);
