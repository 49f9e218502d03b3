/**
 * A dataplane that tells how long its loads took and how they ended, and what it has seen.
 */
import { type DeniedRecord, NOTHING_DENIED } from '../../controller/denied-record.ts';
import type { Dataplane, Loaded, NamespaceRef } from '../../controller/ports.ts';
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

/** What a namespace's kernel has of what was denied after a look, or after a load, which forgets it. */
export interface ObservedRefusals {
  readonly namespace: NamespaceRef;
  readonly denied: DeniedRecord;
  /** When that began, in ms since the epoch, and what the namespace had counted of its traffic by then. */
  readonly begunAt: number;
  readonly traffic: string | undefined;
}

export interface Measuring {
  /** Told of each load. */
  readonly observe: (load: ObservedLoad) => void;
  readonly onRefusals: (found: ObservedRefusals) => void;
  readonly loaderFor: (namespace: NamespaceRef) => Promise<string>;
}

export const measured = (dataplane: Dataplane, { observe, onRefusals, loaderFor }: Measuring): Dataplane => ({
  look: async (namespace) => {
    const begun = { namespace, begunAt: Date.now(), traffic: await dataplane.traffic(namespace) };
    const sight = await dataplane.look(namespace);
    onRefusals({ ...begun, denied: sight.denied });
    return sight;
  },
  clear: (namespace) => dataplane.clear(namespace),
  refusals: (namespace) => dataplane.refusals(namespace),
  traffic: (namespace) => dataplane.traffic(namespace),
  rehearse: (text) => dataplane.rehearse(text),
  load: async (namespace, text) => {
    const loader = await loaderFor(namespace);
    const begun = { namespace, begunAt: Date.now(), traffic: await dataplane.traffic(namespace) };
    const started = performance.now();
    const tell = (outcome: LoadOutcome) =>
      observe({ namespace, outcome, loader, seconds: (performance.now() - started) / 1000 });
    try {
      const loaded = await dataplane.load(namespace, text);
      onRefusals({ ...begun, denied: NOTHING_DENIED });
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
