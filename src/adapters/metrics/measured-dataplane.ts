/**
 * A dataplane that tells how long its loads took and how they ended.
 */
import type { Dataplane, Loaded, NamespaceRef, Sight } from '../../controller/ports.ts';
import { LoadError } from '../../domain/errors.ts';

/** `gone`: the container ended meanwhile, which is no fault. */
export type LoadOutcome = 'loaded' | 'failed' | 'gone';

/** One load. `loader`: the one that did it, also where `auto` is configured. */
export interface ObservedLoad {
  readonly namespace: NamespaceRef;
  readonly outcome: LoadOutcome;
  readonly loader: string;
  readonly seconds: number;
}

export interface Measuring {
  /** Told of each load. */
  readonly observe: (load: ObservedLoad) => void;
  /** Told of each look, and when it began. */
  readonly onSight: (namespace: NamespaceRef, sight: Sight, begunAt: number) => void;
  readonly loaderFor: (namespace: NamespaceRef) => Promise<string>;
}

export const measured = (dataplane: Dataplane, { observe, onSight, loaderFor }: Measuring): Dataplane => ({
  look: async (namespace) => {
    const begunAt = Date.now();
    const sight = await dataplane.look(namespace);
    onSight(namespace, sight, begunAt);
    return sight;
  },
  clear: (namespace) => dataplane.clear(namespace),
  refusals: (namespace) => dataplane.refusals(namespace),
  traffic: (namespace) => dataplane.traffic(namespace),
  rehearse: (text) => dataplane.rehearse(text),
  load: async (namespace, text) => {
    const loader = await loaderFor(namespace);
    const started = performance.now();
    const tell = (outcome: LoadOutcome) =>
      observe({ namespace, outcome, loader, seconds: (performance.now() - started) / 1000 });
    try {
      const loaded = await dataplane.load(namespace, text);
      tell(isConfirmed(loaded, text) ? 'loaded' : 'failed');
      return loaded;
    } catch (error) {
      tell(error instanceof LoadError && error.gone ? 'gone' : 'failed');
      throw error;
    }
  },
});

/** A loader may say that all is well, and the kernel nothing: every text holds its own fingerprint. */
const isConfirmed = ({ fingerprint }: Loaded, text: string): boolean =>
  fingerprint !== undefined && text.includes(fingerprint);
