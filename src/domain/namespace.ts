/**
 * From containers to network namespaces: which ones to protect, on whose behalf, and through which
 * container to enter them.
 */
import type { Container, ContainerId } from './container.ts';
import type { Problem } from './problem.ts';
import { type DnsPolicy, type Mode, parseWorkload, type Workload } from './workload.ts';

/** `container@start`: another start of a container is another namespace. */
export type NamespaceId = string;

export interface Member {
  readonly container: Container;
  readonly workload: Workload;
}

/** A namespace that must hold rules. */
export interface Namespace {
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
export interface Refused {
  readonly container: Container;
  readonly problem: Problem;
}

export interface Plan {
  readonly namespaces: readonly Namespace[];
  readonly refused: readonly Refused[];
}

/** How a container's words are read; a controller with overrides reads them differently. */
export type WorkloadReader = (container: Container) => Workload | undefined;

export function planNamespaces(
  containers: ReadonlyMap<ContainerId, Container>,
  read: WorkloadReader = (container) => parseWorkload(container),
): Plan {
  const groups = new Map<NamespaceId, { target: Container; inside: Container[] }>();
  const refused: Refused[] = [];
  for (const container of containers.values()) {
    if (!container.running) continue;
    for (const target of entrances(container, containers)) {
      const id = namespaceId(target);
      const group = groups.get(id) ?? { target, inside: [] };
      group.inside.push(container);
      groups.set(id, group);
    }
    if (isOnHost(container, containers) && read(container) !== undefined) refused.push(refuseHost(container));
  }
  const namespaces = [...groups.values()].flatMap(({ target, inside }) => merge(target, inside, read) ?? []);
  return { namespaces, refused };
}

export const namespaceId = (target: Container): NamespaceId => `${target.id}@${target.startedAt}`;

/**
 * The containers through which `container`'s namespace is entered. One that shares the namespace of
 * an owner that ended or restarted since is left alone in the owner's former namespace with others of
 * its kind, and nobody can say which of them are together: each is an entrance for all.
 */
function entrances(
  container: Container,
  containers: ReadonlyMap<ContainerId, Container>,
): readonly Container[] {
  const root = rootOf(container, containers);
  if (root.kind !== 'own') return [];
  if (root.owner !== undefined && !startedBefore(container, root.owner)) return [root.owner];
  return [...containers.values()].filter((other) => other.running && isOrphanOf(other, root.id, containers));
}

type Root = { readonly kind: 'host' | 'none' } | OwnRoot;
interface OwnRoot {
  readonly kind: 'own';
  readonly id: ContainerId;
  /** The owner, if it runs. */
  readonly owner: Container | undefined;
}

function rootOf(container: Container, containers: ReadonlyMap<ContainerId, Container>): Root {
  const seen = new Set<ContainerId>();
  let current = container;
  while (current.network.kind === 'container' && !seen.has(current.id)) {
    seen.add(current.id);
    const owner = containers.get(current.network.owner);
    if (owner === undefined || !owner.running) {
      return { kind: 'own', id: current.network.owner, owner: undefined };
    }
    current = owner;
  }
  if (current.network.kind === 'host' || current.network.kind === 'none')
    return { kind: current.network.kind };
  return { kind: 'own', id: current.id, owner: current };
}

function isOrphanOf(
  container: Container,
  ownerId: ContainerId,
  containers: ReadonlyMap<ContainerId, Container>,
): boolean {
  const root = rootOf(container, containers);
  if (root.kind !== 'own' || root.id !== ownerId) return false;
  return root.owner === undefined || startedBefore(container, root.owner);
}

const startedBefore = (one: Container, other: Container): boolean =>
  one.id !== other.id && Date.parse(one.startedAt) < Date.parse(other.startedAt);

const isOnHost = (container: Container, containers: ReadonlyMap<ContainerId, Container>): boolean =>
  rootOf(container, containers).kind === 'host';

const refuseHost = (container: Container): Refused => ({
  container,
  problem: {
    severity: 'error',
    reason:
      "it runs in the host's own network (--network host), where no rules are loaded; give it a network of its own",
  },
});

function merge(target: Container, inside: readonly Container[], read: WorkloadReader): Namespace | undefined {
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
  (canUndoRules && waysRound.length === 0 ? ['has more rights than a workload should'] : waysRound).map(
    (way) => ({ severity: 'warning', reason: `${name} could undo its rules: it ${way}` }),
  );
