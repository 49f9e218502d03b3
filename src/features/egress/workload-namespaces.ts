/**
 * From containers to network namespaces: which ones to protect, on whose behalf, and through which
 * container to enter them.
 */

import type { Problem } from '../../common/problem.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { type DnsPolicy, type Mode, parseWorkload, type Workload } from '../../inventory/workload.ts';

/** `container@start`: another start of a container is another namespace. */
export type NamespaceId = string;

export interface Member {
  readonly container: Container;
  readonly workload: Workload;
}

/** A namespace that must hold rules. */
export interface WorkloadNamespace {
  readonly id: NamespaceId;
  /** The container through which it is entered: its owner, or what is left of those that share it. */
  readonly target: Container;
  /** The workloads inside; at least one. */
  readonly members: readonly Member[];
  /** The union of what they ask for: what one may reach, all in the namespace can. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** True if something inside could undo the rules. */
  readonly unenforceable: boolean;
  /** By what, one for each way that a container inside has. */
  readonly waysRound: readonly Problem[];
  /** True if something inside may open raw sockets. */
  readonly hasRawSockets: boolean;
}

/** A workload that can't be given rules, and why. */
export interface UnsupportedWorkload {
  readonly container: Container;
  readonly problem: Problem;
}

export interface Plan {
  readonly namespaces: readonly WorkloadNamespace[];
  readonly unsupported: readonly UnsupportedWorkload[];
}

/** How a container's words are read; a controller with overrides reads them differently. */
export type WorkloadReader = (container: Container) => Workload | undefined;

export function planNamespaces(
  containers: ReadonlyMap<ContainerId, Container>,
  read: WorkloadReader = (container) => parseWorkload(container),
): Plan {
  const running = [...containers.values()].filter((container) => container.running);
  const found = running.map((container) => ({ container, place: placeOf(container, containers) }));
  const refused = found.filter(
    ({ container, place }) => place.kind === 'host' && read(container) !== undefined,
  );
  const namespaces = groupsOf(found, containers).flatMap(({ targets, inside }) =>
    targets.flatMap((target) => merge(target, inside, read) ?? []),
  );
  return { namespaces, unsupported: refused.map(({ container }) => refuseHost(container)) };
}

interface Found {
  readonly container: Container;
  readonly place: Place;
}

/** Containers that count as being together, and those through which their namespaces are entered. */
interface Group {
  readonly targets: Container[];
  readonly inside: Container[];
}

/**
 * A stray that joined the root through another may be with the root still, or with those that the root left at
 * its last restart: then all of them count as being together.
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

export const namespaceId = (target: Container): NamespaceId => `${target.id}@${target.startedAt}`;

/**
 * Where a container is. `left`: whom it joined (or whom that one joined: `stray`) ended or restarted since. It is
 * alone with others of its kind in a namespace of before, and nobody can say which of them are together:
 * each is an entrance for all.
 */
type Place =
  | { readonly kind: 'host' }
  | { readonly kind: 'own'; readonly owner: Container }
  | { readonly kind: 'left'; readonly root: ContainerId; readonly stray: Container };

/** Follows who joined whom; two that name each other count as left. */
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

const refuseHost = (container: Container): UnsupportedWorkload => ({
  container,
  problem: {
    severity: 'error',
    reason:
      "it runs in the host's own network (--network host), where no rules are loaded; give it a network of its own",
  },
});

function merge(
  target: Container,
  inside: readonly Container[],
  read: WorkloadReader,
): WorkloadNamespace | undefined {
  const members = inside.flatMap((container) => {
    const workload = read(container);
    return workload === undefined ? [] : [{ container, workload }];
  });
  if (members.length === 0) return undefined;
  const workloads = members.map((member) => member.workload);
  return {
    id: namespaceId(target),
    target,
    members,
    grants: [...new Set(workloads.flatMap((workload) => workload.grants))].sort(),
    mode: workloads.some((workload) => workload.mode === 'enforce') ? 'enforce' : 'audit',
    dns: workloads.some((workload) => workload.dns === 'resolvers') ? 'resolvers' : 'none',
    unenforceable: inside.some((container) => container.canUndoRules),
    waysRound: inside.flatMap(waysRoundOf),
    hasRawSockets: inside.some((container) => container.hasRawSockets),
  };
}

const waysRoundOf = ({ name, canUndoRules, waysRound = [] }: Container): readonly Problem[] =>
  (canUndoRules && waysRound.length === 0
    ? ['has privileges that a workload should not have']
    : waysRound
  ).map((way) => ({ severity: 'warning', reason: `${name} can remove its rules: it ${way}` }));
