/**
 * Adapts the dataplane to the reconciler: rules by owner, in namespaces of containers. An inspection and a load also
 * read the denied destinations. They go to the deny log, because the reconciler does not use them.
 */
import { LoadError } from '../common/errors.ts';
import type { Dataplane, NamespaceRef } from '../dataplane/dataplane.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';
import type { RulesetLoader } from '../reconciler/ruleset-driver.ts';

export interface FoundDenied {
  readonly denied: DeniedRecord;
  /** When the read began, in ms since the epoch, and the namespace's traffic counters at that time. */
  readonly begunAt: number;
  readonly traffic: string | undefined;
}

export interface DeniedReports {
  /** Milliseconds since the epoch. */
  now(): number;
  found(id: NamespaceId, found: FoundDenied): void;
}

const NO_REPORTS: DeniedReports = { now: () => 0, found: () => {} };

export function rulesetLoader(dataplane: Dataplane, reports = NO_REPORTS): RulesetLoader {
  const begin = async (namespace: NetworkNamespace) => {
    const begunAt = reports.now();
    return { begunAt, traffic: await dataplane.egressCounters(refOf(namespace)) };
  };
  return {
    load: async (namespace, ruleset, replaces) => {
      const { id } = namespace;
      const begun = await begin(namespace);
      if (!replaces) {
        const loaded = await dataplane.load(refOf(namespace), ruleset);
        reports.found(id, { ...begun, denied: NOTHING_DENIED });
        return loaded;
      }
      // A load removes the record of the replaced rules, so `reload` reads it first.
      const { loaded, denied } = await dataplane.reload(refOf(namespace), ruleset);
      reports.found(id, { ...begun, denied });
      // The kernel's counts restart at zero.
      reports.found(id, { ...begun, begunAt: reports.now(), denied: NOTHING_DENIED });
      return loaded;
    },
    inspect: async (namespace, owner, known) => {
      const begun = await begin(namespace);
      const { loaded, denied } = await dataplane.inspect(refOf(namespace), owner, known);
      if (denied !== undefined) reports.found(namespace.id, { ...begun, denied });
      return loaded;
    },
    clear: (namespace, owner) => dataplane.clear(refOf(namespace), owner),
  };
}

/** References lead only to namespaces of containers, never to the host's. */
export function refOf(namespace: NetworkNamespace): NamespaceRef {
  if (namespace.kind === 'host') throw new LoadError('rules are loaded in namespaces of containers alone');
  const { id, name, pid, startedAt, sandbox } = namespace.target;
  return { containerId: id, name, pid, startedAt, sandbox };
}
