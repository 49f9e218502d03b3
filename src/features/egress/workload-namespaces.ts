/**
 * Finds the network namespaces with workloads, and the union of their grants.
 */

import type { Problem } from '../../common/problem.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { type ContainerNamespace, type Namespaces, namespacesOf } from '../../inventory/namespace.ts';
import { type DnsPolicy, type Mode, parseWorkload, type Workload } from '../../inventory/workload.ts';

export interface Member {
  readonly container: Container;
  readonly workload: Workload;
}

/** A namespace that must have rules. */
export interface WorkloadNamespace extends ContainerNamespace {
  /** The workloads inside; at least one. */
  readonly members: readonly Member[];
  /** The union of their grants: all containers in a namespace share its rules. */
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** A runner chose `resolvers`: rules by name do not change that. */
  readonly keepsResolvers?: true;
  /** True if a container inside can remove the rules. */
  readonly unenforceable: boolean;
  /** The reasons, one for each way. */
  readonly bypasses: readonly Problem[];
  /** True if a container inside can open raw sockets. */
  readonly hasRawSockets: boolean;
}

/** An unsupported workload, with the reason. */
export interface UnsupportedWorkload {
  readonly container: Container;
  readonly problem: Problem;
}

export interface Workloads {
  readonly namespaces: readonly WorkloadNamespace[];
  readonly unsupported: readonly UnsupportedWorkload[];
}

/** Parses a container's settings; a controller with overrides parses them differently. */
export type WorkloadReader = (container: Container) => Workload | undefined;

export const planNamespaces = (
  containers: ReadonlyMap<ContainerId, Container>,
  read: WorkloadReader = (container) => parseWorkload(container),
): Workloads => workloadsIn(namespacesOf(containers), read);

export function workloadsIn(all: Namespaces, read: WorkloadReader): Workloads {
  const namespaces: WorkloadNamespace[] = [];
  const unsupported: UnsupportedWorkload[] = [];
  for (const one of all.values()) {
    if (one.kind === 'container') namespaces.push(...merge(one, read));
    else
      unsupported.push(...one.inside.filter((container) => read(container) !== undefined).map(onHostNetwork));
  }
  return { namespaces, unsupported };
}

const onHostNetwork = (container: Container): UnsupportedWorkload => ({
  container,
  problem: {
    severity: 'error',
    reason:
      "it runs in the host's own network (--network host), where no rules are loaded; give it a network of its own",
  },
});

function merge(
  { id, target, inside, isUncertain }: ContainerNamespace,
  read: WorkloadReader,
): readonly WorkloadNamespace[] {
  const members = inside.flatMap((container) => {
    const workload = read(container);
    return workload === undefined ? [] : [{ container, workload }];
  });
  if (members.length === 0) return [];
  const workloads = members.map((member) => member.workload);
  const namespace: WorkloadNamespace = {
    ...{ kind: 'container', id, target, inside, members },
    ...(isUncertain && { isUncertain }),
    grants: [...new Set(workloads.flatMap((workload) => workload.grants))].sort(),
    mode: workloads.some((workload) => workload.mode === 'enforce') ? 'enforce' : 'audit',
    ...dnsOf(workloads),
    unenforceable: inside.some((container) => container.canBypassRules),
    bypasses: inside.flatMap(bypassesOf),
    hasRawSockets: inside.some((container) => container.hasRawSockets),
  };
  return [namespace];
}

/** The union of what they may ask, as with grants; `names` instead of what nobody has chosen. */
const dnsOf = (workloads: readonly Workload[]): Pick<WorkloadNamespace, 'dns' | 'keepsResolvers'> => {
  if (workloads.some(({ keepsResolvers }) => keepsResolvers))
    return { dns: 'resolvers', keepsResolvers: true };
  const has = (policy: DnsPolicy) => workloads.some(({ dns }) => dns === policy);
  if (has('names')) return { dns: 'names' };
  return { dns: has('resolvers') ? 'resolvers' : 'none' };
};

const bypassesOf = ({ name, canBypassRules, bypasses = [] }: Container): readonly Problem[] =>
  (canBypassRules && bypasses.length === 0
    ? ['has privileges that a workload should not have']
    : bypasses
  ).map((way) => ({ severity: 'warning', reason: `${name} can remove its rules: it ${way}` }));
