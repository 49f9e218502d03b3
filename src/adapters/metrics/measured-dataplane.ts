/**
 * A dataplane that tells how long its loads took and how they ended.
 */
import type { Dataplane } from '../../controller/ports.ts';
import { LoadError } from '../../domain/errors.ts';

/** `gone`: the container ended meanwhile, which is no fault. */
export type LoadOutcome = 'loaded' | 'failed' | 'gone';

/** Told of each load. */
export type LoadObserver = (outcome: LoadOutcome, seconds: number) => void;

export const measured = (dataplane: Dataplane, observe: LoadObserver): Dataplane => ({
  read: (namespace) => dataplane.read(namespace),
  clear: (namespace) => dataplane.clear(namespace),
  refusals: (namespace) => dataplane.refusals(namespace),
  rehearse: (text) => dataplane.rehearse(text),
  load: async (namespace, text) => {
    const started = performance.now();
    const tell = (outcome: LoadOutcome) => observe(outcome, (performance.now() - started) / 1000);
    try {
      const loaded = await dataplane.load(namespace, text);
      tell('loaded');
      return loaded;
    } catch (error) {
      tell(error instanceof LoadError && error.gone ? 'gone' : 'failed');
      throw error;
    }
  },
});
