/**
 * A dataplane for `--dry-run`. It loads nothing, and answers as if each text had been loaded.
 */
import { createHash } from 'node:crypto';
import { type DeniedRecord, NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { Ruleset, RulesetOwner } from '../inventory/ruleset.ts';
import type { Dataplane, KernelState, Loaded, NamespaceRef } from './dataplane.ts';

const nothing: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };

export class DryRunDataplane implements Dataplane {
  readonly #states = new Map<string, Loaded>();
  readonly #onLoad: (namespace: NamespaceRef, text: string) => void;

  /** `onLoad` is called for each text that would have been loaded, with the lines that a loader adds. */
  constructor(onLoad: (namespace: NamespaceRef, text: string) => void) {
    this.#onLoad = onLoad;
  }

  async load(namespace: NamespaceRef, { text }: Ruleset): Promise<Loaded> {
    const state = stateOf(text);
    this.#states.set(keyOf(namespace), state);
    this.#onLoad(namespace, text);
    return state;
  }

  async reload(namespace: NamespaceRef, ruleset: Ruleset): Promise<KernelState> {
    return { loaded: await this.load(namespace, ruleset), denied: NOTHING_DENIED };
  }

  async inspect(namespace: NamespaceRef): Promise<KernelState> {
    return { loaded: this.#states.get(keyOf(namespace)) ?? nothing, denied: NOTHING_DENIED };
  }

  async clear(namespace: NamespaceRef): Promise<void> {
    this.#states.delete(keyOf(namespace));
  }

  async add(): Promise<void> {}

  async owners(namespace: NamespaceRef): Promise<readonly RulesetOwner[]> {
    return this.#states.has(keyOf(namespace)) ? ['egress'] : [];
  }

  async denied(): Promise<DeniedRecord> {
    return NOTHING_DENIED;
  }

  async egressCounters(): Promise<undefined> {}

  async testLoad(): Promise<void> {}
}

/** A restarted container has another namespace. */
const keyOf = ({ containerId, startedAt }: NamespaceRef): string => `${containerId}@${startedAt}`;

/** The state that `dataplane/netns` would print, from the text. */
function stateOf(text: string): Loaded {
  return {
    fingerprint: /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1],
    facts: /\$facts\b/.test(text) ? /^define facts = (0x[0-9a-f]+)$/m.exec(text)?.[1] : undefined,
    digest: createHash('sha256').update(text).digest('hex'),
  };
}
