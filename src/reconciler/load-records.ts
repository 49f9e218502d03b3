/**
 * Records what the kernel listed after the last load of each namespace, across restarts of the controller. Without
 * the record, a change that was made meanwhile would count as correct.
 *
 * A comparison returns `same`, `changed` or `unknown`. The last load before a crash may be missing in the record, and
 * a namespace with another network lists other devices. Such rules are loaded again without a report.
 */

import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';
import type { Loaded } from '../inventory/ruleset.ts';

export interface RecordedLoad extends Loaded {
  /** The namespace's attachments at the time of the load. */
  readonly attachments: string;
}

export type Loads = ReadonlyMap<NamespaceId, RecordedLoad>;

export class LoadRecords {
  readonly #loads: Map<NamespaceId, RecordedLoad>;
  readonly #keep: (loads: Loads) => void;

  /** `keep` is called after a change, with the whole record. */
  constructor(previous: Loads | undefined, keep: (loads: Loads) => void) {
    this.#loads = new Map(previous);
    this.#keep = keep;
  }

  /** Undefined if there is no record of this namespace with its present attachments. */
  get(id: NamespaceId, attachments: string): Loaded | undefined {
    const { attachments: then, ...loaded } = this.#loads.get(id) ?? { attachments: undefined };
    return then === attachments && 'digest' in loaded ? loaded : undefined;
  }

  ids(): readonly NamespaceId[] {
    return [...this.#loads.keys()];
  }

  /** `loaded`: what the kernel should list; undefined if unknown, or nothing. */
  set(id: NamespaceId, attachments: string, loaded: Loaded | undefined): void {
    const before = this.#loads.get(id);
    if (loaded?.digest === undefined) {
      if (this.#loads.delete(id)) this.#keep(this.#loads);
      return;
    }
    if (before?.attachments === attachments && isSame(before, loaded)) return;
    this.#loads.set(id, { ...loaded, attachments });
    this.#keep(this.#loads);
  }

  /** Only these are left. */
  retain(ids: ReadonlySet<NamespaceId>): void {
    const gone = [...this.#loads.keys()].filter((id) => !ids.has(id));
    for (const id of gone) this.#loads.delete(id);
    if (gone.length > 0) this.#keep(this.#loads);
  }
}

/** Of the namespace now, as text: changes when an interface comes or goes. */
export const attachmentsOf = (namespace: NetworkNamespace): string =>
  namespace.kind === 'host' ? '' : namespace.target.attachments.join();

export type LoadComparison = 'same' | 'changed' | 'unknown';

/**
 * Compares the listing with the record. `isFromPreviousRun`: the record is from the previous run, and a later load may
 * be missing in it.
 */
export function compareLoads(
  expected: Loaded | undefined,
  found: Loaded,
  isFromPreviousRun: boolean,
): LoadComparison {
  if (expected === undefined) return found.digest === undefined ? 'same' : 'unknown';
  const isOther = expected.fingerprint !== found.fingerprint || expected.facts !== found.facts;
  if (isFromPreviousRun && isOther && found.fingerprint !== undefined) return 'unknown';
  if (expected.digest === undefined)
    return expected.fingerprint === found.fingerprint ? 'unknown' : 'changed';
  return expected.digest === found.digest ? 'same' : 'changed';
}

const isSame = (one: Loaded, other: Loaded): boolean =>
  one.fingerprint === other.fingerprint && one.facts === other.facts && one.digest === other.digest;
