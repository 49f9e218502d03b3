/**
 * A data plane that reports the duration and the outcome of loads.
 */

import { LoadError } from '../../common/errors.ts';
import type { Dataplane, NamespaceRef } from '../../dataplane/dataplane.ts';

/** `gone`: the container ended meanwhile, which is not a failure. */
export type LoadOutcome = 'loaded' | 'failed' | 'gone';

/** One load. `loader`: the one that did it, also where `auto` is configured. */
export interface ObservedLoad {
  readonly namespace: NamespaceRef;
  readonly outcome: LoadOutcome;
  readonly loader: string;
  readonly seconds: number;
}

export interface Measuring {
  /** Called for each load. */
  readonly observe: (load: ObservedLoad) => void;
  /** Returns the loader of the last load in this namespace. */
  readonly loaderOf: (namespace: NamespaceRef) => string;
}

export const measured = (dataplane: Dataplane, measuring: Measuring): Dataplane => ({
  inspect: (namespace, owner, known) => dataplane.inspect(namespace, owner, known),
  clear: (namespace, owner) => dataplane.clear(namespace, owner),
  denied: (namespace, owner) => dataplane.denied(namespace, owner),
  egressCounters: (namespace) => dataplane.egressCounters(namespace),
  add: (namespace, owner, set, elements) => dataplane.add(namespace, owner, set, elements),
  owners: (namespace) => dataplane.owners(namespace),
  testLoad: (ruleset) => dataplane.testLoad(ruleset),
  load: (namespace, ruleset) =>
    timed(measuring, namespace, async () => {
      const loaded = await dataplane.load(namespace, ruleset);
      return { result: loaded, isLoaded: loaded.fingerprint === ruleset.fingerprint };
    }),
  reload: (namespace, ruleset) =>
    timed(measuring, namespace, async () => {
      const state = await dataplane.reload(namespace, ruleset);
      return { result: state, isLoaded: state.loaded.fingerprint === ruleset.fingerprint };
    }),
});

/** `isLoaded`: a loader may report success although the kernel has no rules. */
async function timed<T>(
  { observe, loaderOf }: Measuring,
  namespace: NamespaceRef,
  load: () => Promise<{ readonly result: T; readonly isLoaded: boolean }>,
): Promise<T> {
  const started = performance.now();
  const report = (outcome: LoadOutcome) =>
    observe({
      namespace,
      outcome,
      loader: loaderOf(namespace),
      seconds: (performance.now() - started) / 1000,
    });
  try {
    const { result, isLoaded } = await load();
    report(isLoaded ? 'loaded' : 'failed');
    return result;
  } catch (error) {
    report(error instanceof LoadError && error.gone ? 'gone' : 'failed');
    throw error;
  }
}
