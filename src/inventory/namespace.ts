/**
 * The network namespaces of this host: the containers in each, and the container by which it is entered.
 */
import type { Container, ContainerId } from './container.ts';

/** `container@start`, as another start of a container is another namespace; or `host`. */
export type NamespaceId = string;

export interface ContainerNamespace {
  readonly kind: 'container';
  readonly id: NamespaceId;
  /** The container by which it is entered: its owner, or one of those that share it. */
  readonly target: Container;
  /** The running containers that are treated as being in it. */
  readonly inside: readonly Container[];
}

export interface HostNamespace {
  readonly kind: 'host';
  readonly id: NamespaceId;
  /** The running containers with `--network host`. */
  readonly inside: readonly Container[];
}

export type NetworkNamespace = ContainerNamespace | HostNamespace;

export const HOST: NamespaceId = 'host';

export const namespaceId = (target: Pick<Container, 'id' | 'startedAt'>): NamespaceId =>
  `${target.id}@${target.startedAt}`;

export type Namespaces = ReadonlyMap<NamespaceId, NetworkNamespace>;

export function namespacesOf(containers: ReadonlyMap<ContainerId, Container>): Namespaces {
  const running = [...containers.values()].filter((container) => container.running);
  const found = running.map((container) => ({ container, place: placeOf(container, containers) }));
  const onHost = found.filter(({ place }) => place.kind === 'host').map(({ container }) => container);
  const namespaces = groupsOf(found, containers).flatMap(({ targets, inside }) =>
    targets.map((target) => ({ kind: 'container', id: namespaceId(target), target, inside }) as const),
  );
  const host: HostNamespace = { kind: 'host', id: HOST, inside: onHost };
  return new Map([host, ...namespaces].map((one): [NamespaceId, NetworkNamespace] => [one.id, one]));
}

interface Found {
  readonly container: Container;
  readonly place: Place;
}

/** Containers that are treated as being in one namespace, and those by which their namespaces are entered. */
interface Group {
  readonly targets: Container[];
  readonly inside: Container[];
}

/**
 * A stray that joined the root through another container may be with the present root, or with the containers that
 * stayed behind when the root restarted. Then all of them are treated as being together.
 */
function groupsOf(
  found: readonly Found[],
  containers: ReadonlyMap<ContainerId, Container>,
): readonly Group[] {
  const mixed = new Set(found.flatMap(({ place }) => (mayBeWithRoot(place, containers) ? place.root : [])));
  const groups = new Map<string, Group>();
  for (const { container, place } of found) {
    if (place.kind === 'host') continue;
    const key =
      place.kind === 'own' ? place.owner.id : `${mixed.has(place.root) ? '' : 'left by '}${place.root}`;
    const { targets, inside } = groups.get(key) ?? { targets: [], inside: [] };
    groups.set(key, { targets, inside });
    inside.push(container);
    if (place.kind === 'left' || place.owner === container) targets.push(container);
  }
  return [...groups.values()];
}

/**
 * The namespace of a container. `left`: the container that it joined (or the one that this one joined: `stray`) has
 * ended or restarted since. It remains in the old namespace with others of its kind, and it is not known which of them
 * are together, so each of them is entered.
 */
type Place =
  | { readonly kind: 'host' }
  | { readonly kind: 'own'; readonly owner: Container }
  | { readonly kind: 'left'; readonly root: ContainerId; readonly stray: Container };

/** Follows the joined containers; a cycle counts as `left`. */
function placeOf(
  container: Container,
  containers: ReadonlyMap<ContainerId, Container>,
  seen: ReadonlySet<ContainerId> = new Set(),
): Place {
  const { network } = container;
  if (network.kind === 'host') return { kind: 'host' };
  if (network.kind === 'own') return { kind: 'own', owner: container };
  const owner = containers.get(network.owner);
  const path = new Set(seen).add(container.id);
  if (owner?.running && !path.has(owner.id) && !startedBefore(container, owner)) {
    return placeOf(owner, containers, path);
  }
  const root = network.root ?? network.owner;
  if (containers.get(root)?.network.kind === 'host') return { kind: 'host' };
  return { kind: 'left', root, stray: container };
}

function mayBeWithRoot(
  place: Place,
  containers: ReadonlyMap<ContainerId, Container>,
): place is Extract<Place, { kind: 'left' }> {
  if (place.kind !== 'left') return false;
  const { root, stray } = place;
  const rootNow = containers.get(root);
  const joinedAnother = stray.network.kind === 'container' && stray.network.owner !== root;
  return joinedAnother && rootNow?.running === true && !startedBefore(stray, rootNow);
}

const startedBefore = (one: Container, other: Container): boolean =>
  one.id !== other.id && Date.parse(one.startedAt) < Date.parse(other.startedAt);
