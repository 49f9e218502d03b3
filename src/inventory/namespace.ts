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
  /** Others of these are entered as well: it is not known whether that is another namespace. */
  readonly isUncertain?: true;
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
  const found = running.map((container) => ({ container, location: locate(container, containers) }));
  const onHost = found.filter(({ location }) => location.kind === 'host').map(({ container }) => container);
  const namespaces = groupsOf(found, containers).flatMap(({ targets, inside }) =>
    targets.map(
      (target): ContainerNamespace => ({
        ...{ kind: 'container', id: namespaceId(target), target, inside },
        ...(targets.length > 1 && { isUncertain: true }),
      }),
    ),
  );
  const host: HostNamespace = { kind: 'host', id: HOST, inside: onHost };
  return new Map([host, ...namespaces].map((one): [NamespaceId, NetworkNamespace] => [one.id, one]));
}

interface Located {
  readonly container: Container;
  readonly location: NamespaceLocation;
}

/** Containers that are treated as being in one namespace, and those by which their namespaces are entered. */
interface Group {
  readonly targets: Container[];
  readonly inside: Container[];
}

/**
 * An orphaned container that joined the root through another container may be with the present root, or with the
 * containers that stayed behind when the root restarted. Then all of them are treated as being together.
 */
function groupsOf(
  found: readonly Located[],
  containers: ReadonlyMap<ContainerId, Container>,
): readonly Group[] {
  const mixed = new Set(
    found.flatMap(({ location }) => (mayBeWithRoot(location, containers) ? location.root : [])),
  );
  const groups = new Map<string, Group>();
  for (const { container, location } of found) {
    if (location.kind === 'host') continue;
    const key =
      location.kind === 'own'
        ? location.owner.id
        : `${mixed.has(location.root) ? '' : 'orphaned from '}${location.root}`;
    const { targets, inside } = groups.get(key) ?? { targets: [], inside: [] };
    groups.set(key, { targets, inside });
    inside.push(container);
    if (location.kind === 'orphaned' || location.owner === container) targets.push(container);
  }
  return [...groups.values()];
}

/**
 * The namespace of a container. `orphaned`: the container that it joined (or that `container`, which it joined, had
 * joined) has ended or restarted since. It remains in the old namespace with others of its kind, and it is not known
 * which of them are together, so each of them is entered.
 */
type NamespaceLocation =
  | { readonly kind: 'host' }
  | { readonly kind: 'own'; readonly owner: Container }
  | { readonly kind: 'orphaned'; readonly root: ContainerId; readonly container: Container };

/** Follows the joined containers; a cycle counts as `orphaned`. */
function locate(
  container: Container,
  containers: ReadonlyMap<ContainerId, Container>,
  seen: ReadonlySet<ContainerId> = new Set(),
): NamespaceLocation {
  const { network } = container;
  if (network.kind === 'host') return { kind: 'host' };
  if (network.kind === 'own') return { kind: 'own', owner: container };
  const owner = containers.get(network.owner);
  const path = new Set(seen).add(container.id);
  if (owner?.running && !path.has(owner.id) && !startedBefore(container, owner)) {
    return locate(owner, containers, path);
  }
  const root = network.root ?? network.owner;
  if (containers.get(root)?.network.kind === 'host') return { kind: 'host' };
  return { kind: 'orphaned', root, container };
}

function mayBeWithRoot(
  location: NamespaceLocation,
  containers: ReadonlyMap<ContainerId, Container>,
): location is Extract<NamespaceLocation, { kind: 'orphaned' }> {
  if (location.kind !== 'orphaned') return false;
  const { root, container } = location;
  const rootNow = containers.get(root);
  const joinedAnother = container.network.kind === 'container' && container.network.owner !== root;
  return joinedAnother && rootNow?.running === true && !startedBefore(container, rootNow);
}

const startedBefore = (one: Container, other: Container): boolean =>
  one.id !== other.id && Date.parse(one.startedAt) < Date.parse(other.startedAt);
