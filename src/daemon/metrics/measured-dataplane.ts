/**
 * A data plane that reports the duration and the outcome of loads, and the state it has seen.
 */

import { LoadError } from '../../common/errors.ts';
import type { Dataplane, Loaded, NamespaceRef } from '../../dataplane/dataplane.ts';
import { type DeniedRecord, NOTHING_DENIED } from '../../inventory/denied-record.ts';
import type { Ruleset } from '../../inventory/ruleset.ts';

/** `gone`: the container ended meanwhile, which is not a failure. */
export type LoadOutcome = 'loaded' | 'failed' | 'gone';

/** One load. `loader`: the one that did it, also where `auto` is configured. */
export interface ObservedLoad {
  readonly namespace: NamespaceRef;
  readonly outcome: LoadOutcome;
  readonly loader: string;
  readonly seconds: number;
}

/** The denied destinations in a namespace's kernel after an inspection, or after a load, which removes them. */
export interface ObservedDenials {
  readonly namespace: NamespaceRef;
  readonly denied: DeniedRecord;
  /** When the operation began, in ms since the epoch, and the namespace's traffic counters at that time. */
  readonly begunAt: number;
  readonly traffic: string | undefined;
}

export interface Measuring {
  /** Called for each load. */
  readonly observe: (load: ObservedLoad) => void;
  readonly onDenied: (found: ObservedDenials) => void;
  /** Returns the loader of the last load in this namespace. */
  readonly loaderOf: (namespace: NamespaceRef) => string;
}

export function measured(dataplane: Dataplane, measuring: Measuring): Dataplane {
  const { onDenied } = measuring;
  const begin = async (namespace: NamespaceRef) => {
    const begunAt = Date.now();
    return { namespace, begunAt, traffic: await dataplane.egressCounters(namespace) };
  };
  return {
    inspect: async (namespace, owner, known) => {
      const begun = await begin(namespace);
      const inspected = await dataplane.inspect(namespace, owner, known);
      if (inspected.denied !== undefined) onDenied({ ...begun, denied: inspected.denied });
      return inspected;
    },
    clear: (namespace, owner) => dataplane.clear(namespace, owner),
    denied: (namespace, owner) => dataplane.denied(namespace, owner),
    egressCounters: (namespace) => dataplane.egressCounters(namespace),
    add: (namespace, owner, set, elements) => dataplane.add(namespace, owner, set, elements),
    owners: (namespace) => dataplane.owners(namespace),
    testLoad: (ruleset) => dataplane.testLoad(ruleset),
    load: async (namespace, ruleset) => {
      const begun = await begin(namespace);
      const loaded = await timed(measuring, namespace, ruleset, () => dataplane.load(namespace, ruleset));
      onDenied({ ...begun, denied: NOTHING_DENIED });
      return loaded;
    },
    reload: async (namespace, ruleset) => {
      const begun = await begin(namespace);
      const reload = async () => {
        const inspected = await dataplane.reload(namespace, ruleset);
        return { ...inspected.loaded, inspected };
      };
      const { inspected } = await timed(measuring, namespace, ruleset, reload);
      onDenied({ ...begun, denied: inspected.denied });
      // The kernel's counts restart at zero.
      onDenied({ ...begun, begunAt: Date.now(), denied: NOTHING_DENIED });
      return inspected;
    },
  };
}

async function timed<T extends Loaded>(
  { observe, loaderOf }: Measuring,
  namespace: NamespaceRef,
  { fingerprint }: Ruleset,
  load: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const tell = (outcome: LoadOutcome) =>
    observe({
      namespace,
      outcome,
      loader: loaderOf(namespace),
      seconds: (performance.now() - started) / 1000,
    });
  try {
    const loaded = await load();
    // A loader may report success although the kernel has no rules.
    tell(loaded.fingerprint === fingerprint ? 'loaded' : 'failed');
    return loaded;
  } catch (error) {
    tell(error instanceof LoadError && error.gone ? 'gone' : 'failed');
    throw error;
  }
}
