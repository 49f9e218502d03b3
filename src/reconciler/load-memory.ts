/**
 * What was loaded in each namespace, as the kernel listed it right then, over restarts of the controller: who
 * believed what he finds after one would take an alteration for what is right.
 *
 * A comparison with it can say "as it was", "altered" or neither. The last load before a crash may not have been
 * kept, and a namespace that was attached elsewhere meanwhile lists other devices. Neither is an alteration, and
 * neither is believed: such rules are loaded anew.
 */

import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';
import type { Loaded } from '../inventory/ruleset.ts';

export interface RememberedLoad extends Loaded {
  /** Of the namespace when that was loaded. */
  readonly attachments: string;
}

export type Loads = ReadonlyMap<NamespaceId, RememberedLoad>;

export class LoadMemory {
  readonly #loads: Map<NamespaceId, RememberedLoad>;
  readonly #keep: (loads: Loads) => void;

  /** `keep` is called when something has changed, with what is to be kept from then on. */
  constructor(former: Loads | undefined, keep: (loads: Loads) => void) {
    this.#loads = new Map(former);
    this.#keep = keep;
  }

  /** Undefined where nothing is remembered of this namespace as it is attached now. */
  recall(id: NamespaceId, attachments: string): Loaded | undefined {
    const { attachments: then, ...loaded } = this.#loads.get(id) ?? { attachments: undefined };
    return then === attachments && 'digest' in loaded ? loaded : undefined;
  }

  /** `loaded`: what is to be found there; undefined where that is not known, or nothing. */
  remember(id: NamespaceId, attachments: string, loaded: Loaded | undefined): void {
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

export type Verdict = 'as it was' | 'altered' | 'unknown';

/**
 * What is found, held against what is to be found. `isRemembered`: by a former run of the controller, after
 * which there may have been a load that nobody remembers.
 */
export function verdictOn(expected: Loaded | undefined, found: Loaded, isRemembered: boolean): Verdict {
  if (expected === undefined) return found.digest === undefined ? 'as it was' : 'unknown';
  const isOther = expected.fingerprint !== found.fingerprint || expected.facts !== found.facts;
  if (isRemembered && isOther && found.fingerprint !== undefined) return 'unknown';
  if (expected.digest === undefined)
    return expected.fingerprint === found.fingerprint ? 'unknown' : 'altered';
  return expected.digest === found.digest ? 'as it was' : 'altered';
}

const isSame = (one: Loaded, other: Loaded): boolean =>
  one.fingerprint === other.fingerprint && one.facts === other.facts && one.digest === other.digest;
