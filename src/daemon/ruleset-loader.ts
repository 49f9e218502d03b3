/**
 * Adapts the dataplane to the reconciler: rules by owner, in namespaces of containers.
 */
import { LoadError } from '../common/errors.ts';
import type { Dataplane, NamespaceRef } from '../dataplane/dataplane.ts';
import type { NetworkNamespace } from '../inventory/namespace.ts';
import type { RulesetLoader } from '../reconciler/ruleset-driver.ts';

/** A load removes the denied destinations of the replaced rules, so `reload` reads them first. */
export const rulesetLoader = (dataplane: Dataplane): RulesetLoader => ({
  load: async (namespace, ruleset, replaces) => {
    const ref = refOf(namespace);
    return replaces ? (await dataplane.reload(ref, ruleset)).loaded : dataplane.load(ref, ruleset);
  },
  inspect: async (namespace, owner, known) =>
    (await dataplane.inspect(refOf(namespace), owner, known)).loaded,
  clear: (namespace, owner) => dataplane.clear(refOf(namespace), owner),
});

/** References lead only to namespaces of containers, never to the host's. */
export function refOf(namespace: NetworkNamespace): NamespaceRef {
  if (namespace.kind === 'host') throw new LoadError('rules are loaded in namespaces of containers alone');
  const { id, name, pid, startedAt, sandbox } = namespace.target;
  return { containerId: id, name, pid, startedAt, sandbox };
}
