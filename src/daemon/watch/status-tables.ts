/**
 * The tables that come from the status: the controller itself, its sources, the namespaces.
 */
import type { Steps } from '../../common/slices.ts';
import type { NamespaceView } from '../../diagnostics/snapshot.ts';
import type { LiveState } from '../../live/state.ts';
import type { ControllerEntry, WorkloadEntry } from '../../live/tables.ts';
import type { Status } from '../status.ts';
import { reuseEqual, reuseEqualEntry } from './reuse.ts';

type StatusTables = Pick<
  LiveState,
  'controller' | 'sources' | 'workloads' | 'ingress' | 'unsupported' | 'notEnabled'
>;

export interface StatusInput {
  readonly controller: ControllerEntry;
  /** By the host's clock. */
  readonly status: Status;
  readonly namespaces: readonly NamespaceView[];
  /** Names and ids of workloads that cannot have rules. */
  readonly unsupported: readonly { readonly name: string; readonly id: string }[];
  /** The compose project of a container, by its id. */
  readonly projectOf: (id: string | undefined) => string | undefined;
}

export function* statusTables(previous: LiveState, input: StatusInput): Steps<StatusTables> {
  const { status, namespaces, controller } = input;
  const views = new Map(namespaces.map((one) => [one.id, one]));
  const ids = new Map(input.unsupported.map(({ name, id }) => [name, id]));
  const workloads = status.namespaces.map(
    (one) => [one.id, workloadEntry(one, views.get(one.id), input)] as const,
  );
  return {
    controller: reuseEqualEntry(previous.controller, 'controller', controller),
    sources: yield* reuseEqual(
      previous.sources,
      status.sources.map((one) => [one.name, one]),
    ),
    workloads: yield* reuseEqual(previous.workloads, workloads),
    ingress: yield* reuseEqual(
      previous.ingress,
      (status.ingress ?? []).map((one) => [one.id, one]),
    ),
    unsupported: yield* reuseEqual(
      previous.unsupported,
      status.unsupported.map((one) => [one.name, { ...one, id: ids.get(one.name) }]),
    ),
    notEnabled: yield* reuseEqual(
      previous.notEnabled,
      (status.notEnabled ?? []).map((one) => [one.name, one]),
    ),
  };
}

const workloadEntry = (
  one: Status['namespaces'][number],
  view: NamespaceView | undefined,
  { projectOf }: StatusInput,
): WorkloadEntry => ({
  ...one,
  ids: view?.ids ?? [],
  project: projectOf(view?.ids[0]),
  resolvers: view?.resolvers,
  hasForeignRules: view?.hasForeignRules,
});
