/**
 * Dataplanes that report the duration and the outcome of loads.
 */

import { LoadError } from '../../common/errors.ts';
import type {
  Dataplane,
  HostDataplane,
  HostRef,
  NamespaceRef,
  RulesetDataplane,
} from '../../dataplane/dataplane.ts';

/** `gone`: the container ended meanwhile, which is not a failure. */
export type LoadOutcome = 'loaded' | 'failed' | 'gone';

/** One load. `loader`: the one that did it, also where `auto` is configured. */
export interface ObservedLoad {
  readonly namespace: NamespaceRef | HostRef;
  readonly outcome: LoadOutcome;
  readonly loader: string;
  readonly seconds: number;
}

export interface Measuring<Ref> {
  /** Called for each load. */
  readonly observe: (load: ObservedLoad) => void;
  /** Returns the loader of the last load in this namespace. */
  readonly loaderOf: (namespace: Ref) => string;
}

export const measured = (dataplane: Dataplane, measuring: Measuring<NamespaceRef>): Dataplane => ({
  ...measuredRulesets(dataplane, measuring),
  egressCounters: (namespace) => dataplane.egressCounters(namespace),
  counters: (namespace) => dataplane.counters(namespace),
  testLoad: (ruleset) => dataplane.testLoad(ruleset),
});

export const measuredHost = (dataplane: HostDataplane, measuring: Measuring<HostRef>): HostDataplane =>
  measuredRulesets(dataplane, measuring);

const measuredRulesets = <Ref extends NamespaceRef | HostRef>(
  dataplane: RulesetDataplane<Ref>,
  measuring: Measuring<Ref>,
): RulesetDataplane<Ref> => ({
  inspect: (namespace, owner, known) => dataplane.inspect(namespace, owner, known),
  clear: (namespace, owner) => dataplane.clear(namespace, owner),
  denied: (namespace, owner) => dataplane.denied(namespace, owner),
  add: (namespace, owner, set, elements) => dataplane.add(namespace, owner, set, elements),
  owners: (namespace) => dataplane.owners(namespace),
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
async function timed<T, Ref extends NamespaceRef | HostRef>(
  { observe, loaderOf }: Measuring<Ref>,
  namespace: Ref,
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
