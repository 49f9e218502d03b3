/**
 * Finds the network namespaces whose callers are limited, and the union of their ingress keys.
 */
import type { Problem } from '../../common/problem.ts';
import type { Container } from '../../inventory/container.ts';
import type { ContainerNamespace, Namespaces } from '../../inventory/namespace.ts';
import { type IngressWorkload, type Mode, parseIngress } from '../../inventory/workload.ts';

interface Member {
  readonly container: Container;
  readonly workload: IngressWorkload;
}

/** A namespace with at least one container that names ingress keys. */
export interface IngressNamespace extends ContainerNamespace {
  readonly members: readonly Member[];
  /** The union: all containers in a namespace have the same ports, and share its rules. */
  readonly keys: readonly string[];
  /** Those of them that a runner named; an image may have named the others. */
  readonly runnerKeys: readonly string[];
  readonly mode: Mode;
}

export interface UnsupportedIngress {
  readonly container: Container;
  readonly problem: Problem;
}

export interface IngressNamespaces {
  readonly namespaces: readonly IngressNamespace[];
  /** Containers that name ingress keys and have no namespace of their own. */
  readonly unsupported: readonly UnsupportedIngress[];
}

export function ingressNamespaces(all: Namespaces, defaultMode: Mode): IngressNamespaces {
  const namespaces: IngressNamespace[] = [];
  const unsupported: UnsupportedIngress[] = [];
  for (const one of all.values()) {
    const members = one.inside.flatMap((container) => memberOf(container, defaultMode));
    if (one.kind === 'host') unsupported.push(...members.map(onHostNetwork));
    else if (members.length > 0) namespaces.push(merge(one, members));
  }
  return { namespaces, unsupported };
}

function memberOf(container: Container, defaultMode: Mode): readonly Member[] {
  const workload = parseIngress(container, defaultMode);
  return workload === undefined ? [] : [{ container, workload }];
}

const merge = (namespace: ContainerNamespace, members: readonly Member[]): IngressNamespace => ({
  ...namespace,
  members,
  keys: unionOf(members),
  runnerKeys: unionOf(members.filter(({ workload }) => workload.isRunners)),
  mode: members.some(({ workload }) => workload.mode === 'enforce') ? 'enforce' : 'audit',
});

const unionOf = (members: readonly Member[]): readonly string[] =>
  [...new Set(members.flatMap(({ workload }) => workload.keys))].sort();

const onHostNetwork = ({ container }: Member): UnsupportedIngress => ({
  container,
  problem: {
    severity: 'error',
    reason:
      "it names ingress keys and runs in the host's own network (--network host), where no rules are loaded: anyone can reach it; give it a network of its own",
  },
});
