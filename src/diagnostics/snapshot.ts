/**
 * What is known, in plain data: the material from which questions about it are answered. A running
 * controller gives it away through its API; without one it is read from Consul and the Engine.
 */

import type { NotEnabled } from '../features/egress/not-enabled.ts';
import type { NamespaceState } from '../features/egress/states.ts';
import { type EgressState, stateOf } from '../features/egress/status.ts';
import type { WorkloadNamespace, Workloads } from '../features/egress/workload-namespaces.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import type { Instance } from '../inventory/service.ts';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';
import { formatPrefix, type Prefix } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import type { Catalog } from '../policy/compile.ts';
import { recordsDenied } from '../rendering/facts.ts';
import { needsUngranted, type Template } from '../rendering/template.ts';

/** One namespace that holds rules, or should. */
export interface NamespaceView {
  /** Names and ids of the workloads inside, in the same order. */
  readonly workloads: readonly string[];
  readonly ids: readonly string[];
  /** The container through which it is entered. */
  readonly target: string;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** Undefined where no controller tells it. */
  readonly state?: NamespaceState | undefined;
  /** Undefined while they were not read. */
  readonly resolvers?: readonly string[] | undefined;
  /** Rules of others refuse packets there as well; undefined where no controller tells it. */
  readonly hasForeignRules?: boolean | undefined;
}

export interface Snapshot {
  readonly places: readonly NamespaceView[];
  readonly rules: readonly { readonly key: string; readonly text: string }[];
  readonly services: readonly { readonly name: string; readonly instances: readonly Instance[] }[];
  /** Workloads that can hold no rules. */
  readonly refused?:
    | readonly { readonly name: string; readonly id: string; readonly reason: string }[]
    | undefined;
  /** Names of containers that name keys and do not ask for rules. */
  readonly unasked?: readonly string[] | undefined;
  /** The address of the Consul that was read. */
  readonly consul?: string | undefined;
  /** Services of which nothing could be learned. */
  readonly unread: readonly string[];
  /** Of those, why: by name. */
  readonly whyUnread?: Readonly<Record<string, string>> | undefined;
  readonly protectedHosts: readonly string[];
  /** Its name or path. */
  readonly template?: string | undefined;
  /** Where the keys are in Consul, with a slash at its end. */
  readonly kvPath?: string | undefined;
  /** The template refuses only what keys that were not granted allow. */
  readonly denylist: boolean;
  /** What is loaded keeps refused destinations, so that they can be told. */
  readonly recordsDenied: boolean;
}

export const namespaceView = (
  namespace: WorkloadNamespace,
  resolvers: readonly string[] | undefined,
): NamespaceView => ({
  workloads: namespace.members.map(({ container }) => container.name),
  ids: namespace.members.map(({ container }) => container.id),
  target: namespace.target.name,
  grants: namespace.grants,
  mode: namespace.mode,
  dns: namespace.dns,
  ...(resolvers === undefined ? {} : { resolvers }),
});

export interface Outsiders {
  readonly refused: NonNullable<Snapshot['refused']>;
  readonly unasked: readonly string[];
}

/** Those that have no place, and of whom somebody may ask all the same. */
export const outsiders = (
  { unsupported }: Pick<Workloads, 'unsupported'>,
  unasked: readonly NotEnabled[],
): Outsiders => ({
  refused: unsupported.map(({ container, problem }) => ({
    ...{ name: container.name, id: container.id },
    reason: problem.reason,
  })),
  unasked: unasked.map(({ container }) => container.name),
});

interface Known {
  readonly acl: Acl;
  readonly services: Catalog;
  readonly protectedHosts: readonly Prefix[];
  readonly template: Template;
}

export function snapshotOf(
  states: readonly EgressState[],
  { acl, services, protectedHosts, template }: Known,
  resolversOf: (id: NamespaceId) => readonly string[] | undefined,
): Snapshot {
  return {
    places: states.map((one) => ({
      ...namespaceView(one.desired.namespace, resolversOf(one.desired.namespace.id)),
      state: stateOf(one, template),
      hasForeignRules: one.observed?.loaded.hasForeign,
    })),
    rules: [...acl.values()].map(({ key, text }) => ({ key, text })),
    services: [...services].map(([name, instances]) => ({ name, instances })),
    unread: [],
    protectedHosts: protectedHosts.map(formatPrefix),
    denylist: needsUngranted(template),
    recordsDenied: recordsDenied(template.source),
  };
}
