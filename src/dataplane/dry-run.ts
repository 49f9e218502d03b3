/**
 * A dataplane for `--dry-run`. It loads nothing, and answers as if each text had been loaded.
 */
import { createHash } from 'node:crypto';
import { type DeniedRecord, NOTHING_DENIED } from '../inventory/denied-record.ts';
import type { Ruleset, RulesetOwner } from '../inventory/ruleset.ts';
import type { Dataplane, HostDataplane, HostRef, KernelState, Loaded, NamespaceRef } from './dataplane.ts';

const nothing: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };

type Ref = NamespaceRef | HostRef;

export class DryRunDataplane implements Dataplane, HostDataplane {
  readonly #states = new Map<string, Loaded>();
  readonly #onLoad: (namespace: Ref, text: string) => void;

  /** `onLoad` hears of every text that would have been loaded, with the lines a loader is given. */
  constructor(onLoad: (namespace: Ref, text: string) => void) {
    this.#onLoad = onLoad;
  }

  async load(namespace: Ref, { text }: Ruleset): Promise<Loaded> {
    const state = stateOf(text);
    this.#states.set(keyOf(namespace), state);
    this.#onLoad(namespace, text);
    return state;
  }

  async reload(namespace: Ref, ruleset: Ruleset): Promise<KernelState> {
    return { loaded: await this.load(namespace, ruleset), denied: NOTHING_DENIED };
  }

  async inspect(namespace: Ref): Promise<KernelState> {
    return { loaded: this.#states.get(keyOf(namespace)) ?? nothing, denied: NOTHING_DENIED };
  }

  async clear(namespace: Ref): Promise<void> {
    this.#states.delete(keyOf(namespace));
  }

  async add(): Promise<void> {}

  async owners(namespace: Ref): Promise<readonly RulesetOwner[]> {
    return this.#states.has(keyOf(namespace)) ? ['containerId' in namespace ? 'egress' : 'host'] : [];
  }

  async denied(): Promise<DeniedRecord> {
    return NOTHING_DENIED;
  }

  async egressCounters(): Promise<undefined> {}

  async counters(): Promise<undefined> {}

  async testLoad(): Promise<void> {}
}

/** Another start of a container is another namespace. */
const keyOf = (ref: Ref): string => ('containerId' in ref ? `${ref.containerId}@${ref.startedAt}` : ref.name);

/** The state that `dataplane/netns` would print, from the text. */
function stateOf(text: string): Loaded {
  return {
    fingerprint: /egresstrator v1 ([0-9a-f]+)/.exec(text)?.[1],
    facts: /\$facts\b/.test(text) ? /^define facts = (0x[0-9a-f]+)$/m.exec(text)?.[1] : undefined,
    digest: createHash('sha256').update(text).digest('hex'),
  };
}
