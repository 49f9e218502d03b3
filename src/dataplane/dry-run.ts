/**
 * A dataplane that loads nothing: for `--dry-run`, and for tests that only want the texts. It answers as if
 * each text had been loaded, so that the controller goes on as it would.
 */
import { createHash } from 'node:crypto';
import { type DeniedRecord, NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { Dataplane, Loaded, NamespaceRef, NamespaceState } from './dataplane.ts';

export interface DryRunEntry {
  readonly namespace: NamespaceRef;
  readonly text: string;
}

const nothing: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };

export class DryRunDataplane implements Dataplane {
  readonly #texts = new Map<string, DryRunEntry>();
  readonly #onLoad: (entry: DryRunEntry) => void;

  /** `onLoad` hears of every text that would have been loaded, with the lines a loader is given. */
  constructor(onLoad: (entry: DryRunEntry) => void = () => {}) {
    this.#onLoad = onLoad;
  }

  /** The texts that would be loaded now. */
  get texts(): readonly DryRunEntry[] {
    return [...this.#texts.values()];
  }

  async load(namespace: NamespaceRef, text: string): Promise<Loaded> {
    const entry = { namespace, text };
    this.#texts.set(keyOf(namespace), entry);
    this.#onLoad(entry);
    return stateOf(text);
  }

  async reload(namespace: NamespaceRef, text: string): Promise<NamespaceState> {
    return { loaded: await this.load(namespace, text), denied: NOTHING_DENIED };
  }

  async inspect(namespace: NamespaceRef): Promise<NamespaceState> {
    const entry = this.#texts.get(keyOf(namespace));
    return { loaded: entry === undefined ? nothing : stateOf(entry.text), denied: NOTHING_DENIED };
  }

  async clear(namespace: NamespaceRef): Promise<void> {
    this.#texts.delete(keyOf(namespace));
  }

  async denied(): Promise<DeniedRecord> {
    return NOTHING_DENIED;
  }

  async egressCounters(): Promise<undefined> {}

  async testLoad(): Promise<void> {}
}

/** Another start of a container is another namespace. */
const keyOf = ({ owner, startedAt }: NamespaceRef): string => `${owner}@${startedAt}`;

/** What `dataplane/netns` would say, read from the text itself. */
function stateOf(text: string): Loaded {
  return {
    fingerprint: /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1],
    facts: /\$facts\b/.test(text) ? /^define facts = (0x[0-9a-f]+)$/m.exec(text)?.[1] : undefined,
    digest: createHash('sha256').update(text).digest('hex'),
  };
}
