/**
 * Finds the namespace that a question is about, and everything that decides about its traffic.
 */

import { UserError } from '../common/errors.ts';
import { pickNamed } from '../inventory/pick-container.ts';
import type { WorkloadGrants } from './diff.ts';
import type { PolicyView } from './policy-view.ts';
import type { NamespaceView, Snapshot } from './snapshot.ts';

type Containers = Pick<Snapshot, 'namespaces' | 'unsupported' | 'notEnabled' | 'ingress'>;

/** Undefined if `word` matches none of them. Throws a `UserError` if it matches several. */
export const findNamespace = (
  { namespaces = [] }: Pick<Snapshot, 'namespaces'>,
  word: string,
): NamespaceView | undefined =>
  pickNamed(namespaces, word, ({ id, ids, workloads, target }) => ({
    names: [...workloads, target],
    ids: [...ids, ...id.split('@', 1)],
  }));

/** Throws a `UserError` if `word` matches none or several of them. */
export function pickNamespace(containers: Containers, word: string): NamespaceView {
  const { unsupported, notEnabled, ingress } = containers;
  const found = findNamespace(containers, word);
  if (found !== undefined) return found;
  const outside = pickNamed(unsupported, word, ({ name, id }) => ({ names: [name], ids: [id] }));
  if (outside !== undefined) throw new UserError(`${outside.name}: ${outside.reason}`);
  if (notEnabled.includes(word))
    throw new UserError(`${word} names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules`);
  if (ingress?.workloads?.some(({ name }) => name === word) === true)
    throw new UserError(
      `${word} names ingress keys and not EGRESSTRATOR_ENABLE=1: it may reach everything, and --in asks about its callers`,
    );
  throw new UserError(
    `no container "${word}" with EGRESSTRATOR_ENABLE=1 runs here; "egresstrator status" lists those that do`,
  );
}

export const viewOf = (
  { acl, catalog, protectedHosts, denylist }: Snapshot,
  { grants, mode, dns, resolvers = [], names, state }: NamespaceView,
): PolicyView => ({
  ...{ acl, catalog, protectedHosts, denylist, grants, mode, dns, resolvers },
  ...{ hasController: state !== undefined, ...(names && { names }) },
});

/** The workloads and their keys; workloads that share a network share their keys. Undefined if not known. */
export const workloadsOf = ({ namespaces }: Snapshot): readonly WorkloadGrants[] | undefined =>
  namespaces?.flatMap(({ workloads, grants }) => workloads.map((name) => ({ name, grants })));
