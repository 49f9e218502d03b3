/**
 * The state that this process has received, and the events that bring a browser up to it. Each event is written as
 * text once, whatever the number of browsers. Changes are kept for those that were away or are slow, within a limit.
 *
 * It has revisions of its own: those of a controller begin anew when it is restarted. What differs then is sent as
 * changes, so a restart costs a browser nothing.
 */
import {
  applyChanges,
  changesBetween,
  EMPTY_STATE,
  type LiveEvents,
  type LiveState,
  stateOf,
  wireOf,
} from '../live/state.ts';
import { eventText } from './event-stream.ts';

export type Link = Omit<LiveEvents['link'], 'at'>;

interface Kept {
  readonly revision: number;
  readonly text: Buffer;
}

export interface FeedOptions {
  /** Names this run of the program, so that revisions of another run are known as such. */
  readonly run: string;
  /** Bytes of changes that are kept. */
  readonly most: number;
  /** Milliseconds since the epoch. */
  now(): number;
}

export class LiveFeed {
  readonly #options: FeedOptions;
  #state: LiveState = EMPTY_STATE;
  /** 0: nothing was received yet. */
  #revision = 0;
  #at = 0;
  #link: Link;
  #snapshot: Kept | undefined;
  #kept: readonly Kept[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#link = { isConnected: false, since: options.now() };
  }

  get revision(): number {
    return this.#revision;
  }

  get state(): LiveState {
    return this.#state;
  }

  get link(): Link {
    return this.#link;
  }

  takeSnapshot({ at, state }: LiveEvents['snapshot']): void {
    const next = stateOf(state);
    const changes = changesBetween(this.#state, next);
    if (this.#revision === 0) this.#advance(next, at);
    else if (changes !== undefined) this.#advance(next, at, changes);
  }

  takeChanges({ at, changes }: LiveEvents['changes']): void {
    this.#advance(applyChanges(this.#state, changes), at, changes);
  }

  /** `since` stays if nothing differs. */
  takeLink(isConnected: boolean, reason?: string): void {
    if (this.#link.isConnected === isConnected && this.#link.reason === reason) return;
    const since = this.#link.isConnected === isConnected ? this.#link.since : this.#options.now();
    this.#link = { isConnected, since, ...(reason !== undefined && { reason }) };
  }

  linkText(): string {
    return eventText('link', { at: this.#options.now(), ...this.#link });
  }

  /** What brings one that has `revision` to the newest: changes if all of them are kept, else a snapshot. */
  textsAfter(revision: number): readonly Kept[] {
    if (revision === this.#revision) return [];
    const missing = this.#kept.filter((one) => one.revision > revision);
    const isWhole = revision > 0 && revision < this.#revision && missing[0]?.revision === revision + 1;
    return isWhole ? missing : [this.#snapshotText()];
  }

  /** The revision in `id` (Last-Event-ID); 0 if it is of another run. */
  revisionOf(id: string | undefined): number {
    const [, run, revision] = /^([\w-]+)\.(\d{1,15})$/.exec(id ?? '') ?? [];
    return run === this.#options.run ? Number(revision) : 0;
  }

  #advance(state: LiveState, at: number, changes?: LiveEvents['changes']['changes']): void {
    this.#state = state;
    this.#at = at;
    this.#revision += 1;
    this.#snapshot = undefined;
    if (changes === undefined) return;
    const text = this.#event('changes', { revision: this.#revision, at, changes });
    this.#kept = withinBytes([...this.#kept, { revision: this.#revision, text }], this.#options.most);
  }

  #snapshotText(): Kept {
    if (this.#snapshot !== undefined) return this.#snapshot;
    const revision = this.#revision;
    const text = this.#event('snapshot', { revision, at: this.#at, state: wireOf(this.#state) });
    this.#snapshot = { revision, text };
    return this.#snapshot;
  }

  #event(name: string, data: LiveEvents['snapshot'] | LiveEvents['changes']): Buffer {
    return Buffer.from(eventText(name, data, `${this.#options.run}.${data.revision}`));
  }
}

/** The newest of them that have at most `most` bytes together. */
function withinBytes(all: readonly Kept[], most: number): readonly Kept[] {
  let bytes = 0;
  const first = all.findLastIndex(({ text }) => {
    bytes += text.length;
    return bytes > most;
  });
  return all.slice(first + 1);
}
