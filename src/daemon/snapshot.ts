/**
 * Makes snapshots for diagnostics from the state of a controller or from the Engine's answers.
 */
import type { NamespaceView, Snapshot } from '../diagnostics/snapshot.ts';
import type { Egress } from '../features/egress/egress.ts';
import { recordsDenied } from '../features/egress/facts.ts';
import { dnsOf } from '../features/egress/name-rules.ts';
import type { NotEnabled } from '../features/egress/not-enabled.ts';
import { type EgressState, stateOf } from '../features/egress/status.ts';
import { type EgressTemplate, needsUngranted } from '../features/egress/template.ts';
import type { WorkloadNamespace, Workloads } from '../features/egress/workload-namespaces.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { NamespaceId } from '../inventory/namespace.ts';

/** The containers that questions may be about. */
export type Containers = Pick<Snapshot, 'namespaces' | 'unsupported' | 'notEnabled'>;

/** A snapshot without the folders of the keys. */
export type KnownSnapshot = Omit<Snapshot, 'kvPath' | 'ingressPath'>;

export const containersOf = (
  states: readonly EgressState[],
  egress: Pick<Egress, 'nameSupport' | 'rules' | 'unsupported' | 'notEnabled'>,
  namesOf: (id: NamespaceId) => NamesReport | undefined,
): Containers => ({
  namespaces: states.map((one) => ({
    ...namespaceView(one.desired.namespace, egress.rules.resolversOf(one.desired.namespace.id)),
    dns: dnsOf(one.desired.namespace, one.desired.rules.policy, egress.nameSupport),
    names: namesOf(one.desired.namespace.id),
    state: stateOf(one, egress.nameSupport),
    hasForeignRules: one.observed?.loaded.hasForeign,
  })),
  ...withoutRules(egress, egress.notEnabled),
});

export const namespaceView = (
  { id, members, target, grants, mode, dns }: WorkloadNamespace,
  resolvers: readonly string[] | undefined,
): NamespaceView => ({
  id,
  workloads: members.map(({ container }) => container.name),
  ids: members.map(({ container }) => container.id),
  target: target.name,
  ...{ grants, mode, dns, resolvers },
});

/** Containers without rules that questions may be about. */
export const withoutRules = (
  { unsupported }: Pick<Workloads, 'unsupported'>,
  notEnabled: readonly NotEnabled[],
): Pick<Containers, 'unsupported' | 'notEnabled'> => ({
  unsupported: unsupported.map(({ container: { name, id }, problem: { reason } }) => ({ name, id, reason })),
  notEnabled: notEnabled.map(({ container }) => container.name),
});

/** The facts about a template that answers need. */
export const templateFacts = (
  template: EgressTemplate,
): Pick<Snapshot, 'template' | 'denylist' | 'recordsDenied'> => ({
  template: template.name,
  denylist: needsUngranted(template),
  recordsDenied: recordsDenied(template.source),
});
