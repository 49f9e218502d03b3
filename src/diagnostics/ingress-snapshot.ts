/**
 * What is known of ingress keys, for questions: their texts, the containers that name them, and the containers of this
 * host that may call.
 */
import { LocalInstances } from '../features/ingress/local-instances.ts';
import type { IngressNamespace } from '../features/ingress/namespaces.ts';
import type { IngressView } from '../features/ingress/view.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { Networks } from '../inventory/network.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, compile } from '../policy/compile.ts';
import type { WorkloadGrants } from './diff.ts';
import type { KeysView } from './keys.ts';

/** The containers of this host: they call each other from their own addresses. */
export interface Neighbours {
  /** This host's name in Consul. */
  readonly node: string | undefined;
  readonly containers: ReadonlyMap<ContainerId, Container>;
  /** Undefined if not known. */
  readonly networks?: Networks | undefined;
}

export interface IngressSnapshot {
  readonly acl: Acl;
  /** The containers that name ingress keys; those of one namespace share their keys. Undefined if not known. */
  readonly workloads: readonly WorkloadGrants[] | undefined;
  /** Those and all others in their namespaces. */
  readonly containers: readonly Container[];
  readonly neighbours?: Neighbours | undefined;
}

/** `namespaces`: those whose callers are limited; undefined if not known. */
export const ingressSnapshot = (
  acl: Acl,
  namespaces: readonly IngressNamespace[] | undefined,
  neighbours: Neighbours | undefined,
): IngressSnapshot => ({
  ...{ acl, neighbours },
  workloads: namespaces?.flatMap(({ members, keys }) =>
    members.map(({ container }) => ({ name: container.name, grants: keys })),
  ),
  containers: (namespaces ?? []).flatMap(({ inside }) => inside),
});

/** The instances of services as callers: those that are containers of this host call from their own addresses too. */
export const callersIn = (catalog: Catalog, neighbours: Neighbours | undefined): Catalog =>
  neighbours === undefined
    ? catalog
    : new LocalInstances(neighbours.node).extend(catalog, neighbours.containers);

/** Ingress keys as what they let in; no address is protected from being a caller. */
export const ingressKeys = ({ acl, workloads, neighbours }: IngressSnapshot, catalog: Catalog): KeysView => ({
  acl,
  catalog: callersIn(catalog, neighbours),
  protectedHosts: [],
  workloads,
});

/** Without a controller: what the keys say, whether it is loaded or not. */
export const ingressViewsBy = (
  namespaces: readonly IngressNamespace[],
  { acl, neighbours }: IngressSnapshot,
  catalog: Catalog,
): readonly IngressView[] => {
  const callers = callersIn(catalog, neighbours);
  return namespaces.map(({ inside, target, keys, mode }) => ({
    ...{ ids: inside.map(({ id }) => id), target: target.name, keys, mode },
    policy: compile(keys, acl, callers, [], 'ingress'),
  }));
};
