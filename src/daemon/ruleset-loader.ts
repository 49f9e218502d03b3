/**
 * The dataplane as the reconciler sees it: rules by their owner, in a namespace of a container.
 */
import { LoadError } from '../common/errors.ts';
import type { Dataplane, NamespaceRef } from '../dataplane/dataplane.ts';
import type { NetworkNamespace } from '../inventory/namespace.ts';
import type { RulesetLoader } from '../reconciler/ruleset-driver.ts';

/** Rules that are replaced take with them what they had denied, which the dataplane tells on the way. */
export const rulesetLoader = (dataplane: Dataplane): RulesetLoader => ({
  load: async (namespace, ruleset, replaces) => {
    const ref = refOf(namespace);
    return replaces ? (await dataplane.reload(ref, ruleset)).loaded : dataplane.load(ref, ruleset);
  },
  inspect: async (namespace, owner, known) =>
    (await dataplane.inspect(refOf(namespace), owner, known)).loaded,
  clear: (namespace, owner) => dataplane.clear(refOf(namespace), owner),
});

/** A container's process or file leads to a namespace; none of them may ever lead to the host's. */
export function refOf(namespace: NetworkNamespace): NamespaceRef {
  if (namespace.kind === 'host') throw new LoadError('rules are loaded in namespaces of containers alone');
  const { id, name, pid, startedAt, sandbox } = namespace.target;
  return { containerId: id, name, pid, startedAt, sandbox };
}
