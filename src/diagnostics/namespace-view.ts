/**
 * Finds the namespace that a question is about, and everything that decides about its traffic.
 */

import { UserError } from '../common/errors.ts';
import { pickNamed } from '../inventory/pick-container.ts';
import type { WorkloadGrants } from './diff.ts';
import type { PolicyView } from './explain.ts';
import type { NamespaceView, Snapshot } from './snapshot.ts';

type Containers = Pick<Snapshot, 'namespaces' | 'unsupported' | 'notEnabled'>;

/** Throws a `UserError` if `word` matches none or several of them. */
export function pickNamespace(containers: Containers, word: string): NamespaceView {
  const { namespaces = [], unsupported, notEnabled } = containers;
  const found = pickNamed(namespaces, word, ({ id, ids, workloads, target }) => ({
    names: [...workloads, target],
    ids: [...ids, ...id.split('@', 1)],
  }));
  if (found !== undefined) return found;
  const outside = pickNamed(unsupported, word, ({ name, id }) => ({ names: [name], ids: [id] }));
  if (outside !== undefined) throw new UserError(`${outside.name}: ${outside.reason}`);
  if (notEnabled.includes(word))
    throw new UserError(`${word} names ACL keys but not EGRESSTRATOR_ENABLE=1, so it has no rules`);
  throw new UserError(
    `no container "${word}" with EGRESSTRATOR_ENABLE=1 runs here; "egresstrator status" lists those that do`,
  );
}

export const viewOf = (
  { acl, catalog, protectedHosts, denylist }: Snapshot,
  { grants, mode, dns, resolvers }: NamespaceView,
): PolicyView => ({ acl, catalog, protectedHosts, denylist, grants, mode, dns, resolvers: resolvers ?? [] });

/** The workloads and their keys; workloads that share a network share their keys. Undefined if not known. */
export const workloadsOf = ({ namespaces }: Snapshot): readonly WorkloadGrants[] | undefined =>
  namespaces?.flatMap(({ workloads, grants }) => workloads.map((name) => ({ name, grants })));
