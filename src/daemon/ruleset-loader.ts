/**
 * Adapts the dataplanes to the reconciler: rules by owner, in namespaces of containers and of the host. An inspection
 * and a load also read the denied destinations. They go to the deny logs, because the reconciler does not use them.
 */
import { LoadError } from '../common/errors.ts';
import {
  type Dataplane,
  HOST_REF,
  type HostDataplane,
  type NamespaceRef,
  type RulesetDataplane,
} from '../dataplane/dataplane.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { NetworkNamespace } from '../inventory/namespace.ts';
import type { Loaded, Ruleset, RulesetOwner } from '../inventory/ruleset.ts';
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
  found(namespace: NetworkNamespace, owner: RulesetOwner, found: FoundDenied): void;
}

const NO_REPORTS: DeniedReports = { now: () => 0, found: () => {} };

/** `host`: loads rules in the host's namespace; undefined: none may be loaded there. */
export function rulesetLoader(
  dataplane: Dataplane,
  host?: HostDataplane,
  reports: DeniedReports = NO_REPORTS,
): RulesetLoader {
  const at = (namespace: NetworkNamespace, owner: RulesetOwner): LoaderAt => {
    const reading = {
      now: reports.now,
      found: (found: FoundDenied) => reports.found(namespace, owner, found),
    };
    if (namespace.kind === 'host') return loaderAt(hostOrFail(host), HOST_REF, reading);
    const ref = refOf(namespace);
    return loaderAt(dataplane, ref, { ...reading, traffic: () => dataplane.egressCounters(ref) });
  };
  return {
    load: async (namespace, ruleset, replaces) => at(namespace, ruleset.owner).load(ruleset, replaces),
    inspect: async (namespace, owner, known) => at(namespace, owner).inspect(owner, known),
    clear: async (namespace, owner) => at(namespace, owner).clear(owner),
  };
}

interface LoaderAt {
  load(ruleset: Ruleset, replaces: boolean): Promise<Loaded>;
  inspect(owner: RulesetOwner, known?: Loaded): Promise<Loaded>;
  clear(owner: RulesetOwner): Promise<void>;
}

interface Reading {
  now(): number;
  found(found: FoundDenied): void;
  traffic?(): Promise<string | undefined>;
}

function loaderAt<Ref>(dataplane: RulesetDataplane<Ref>, ref: Ref, reading: Reading): LoaderAt {
  const begin = async () => ({ begunAt: reading.now(), traffic: await reading.traffic?.() });
  return {
    load: async (ruleset, replaces) => {
      const begun = await begin();
      if (!replaces || !mayDeny(ruleset)) {
        const loaded = await dataplane.load(ref, ruleset);
        reading.found({ ...begun, denied: NOTHING_DENIED });
        return loaded;
      }
      // A load removes the record of the replaced rules, so `reload` reads it first.
      const { loaded, denied } = await dataplane.reload(ref, ruleset);
      reading.found({ ...begun, denied });
      // The kernel's counts restart at zero.
      reading.found({ ...begun, begunAt: reading.now(), denied: NOTHING_DENIED });
      return loaded;
    },
    inspect: async (owner, known) => {
      const begun = await begin();
      const { loaded, denied } = await dataplane.inspect(ref, owner, known);
      if (denied !== undefined) reading.found({ ...begun, denied });
      return loaded;
    },
    clear: (owner) => dataplane.clear(ref, owner),
  };
}

/**
 * The host's rules without a guard, and ports of containers that lead elsewhere, deny nothing: to read first what those
 * before them have denied takes half as long as the load.
 */
const mayDeny = ({ owner, text }: Ruleset): boolean =>
  !(owner === 'host' || owner === 'nat') || text.includes('denied');

function hostOrFail(host: HostDataplane | undefined): HostDataplane {
  if (host === undefined) throw new LoadError('rules are loaded in namespaces of containers alone');
  return host;
}

/** References lead only to namespaces of containers, never to the host's. */
export function refOf(namespace: NetworkNamespace): NamespaceRef {
  if (namespace.kind === 'host') throw new LoadError('rules are loaded in namespaces of containers alone');
  const { id, name, pid, startedAt, sandbox } = namespace.target;
  return { containerId: id, name, pid, startedAt, sandbox };
}
