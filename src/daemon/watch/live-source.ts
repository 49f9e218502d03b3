/**
 * Keeps the live state while somebody reads it, and makes a new one soon after something has changed. Without a reader
 * it holds nothing, does nothing and asks nobody.
 */
import { messageOf } from '../../common/errors.ts';
import type { Logger } from '../../common/logger.ts';
import { inSlices, type Steps } from '../../common/slices.ts';
import { changesBetween, EMPTY_STATE, type LiveState } from '../../live/state.ts';
import { ChangeLog } from './change-log.ts';
import { changesText, snapshotText } from './live-text.ts';

/** Makes the state; `close` ends what it does meanwhile. */
export interface StateMaker {
  /** The state after `previous`; unchanged tables are the same objects. */
  next(previous: LiveState): Promise<LiveState>;
  close(): void;
}

export interface LiveSourceOptions {
  /** Begins to watch. `onChange`: call it when a new state may differ. */
  readonly open: (onChange: () => void) => StateMaker;
  readonly now: () => number;
  readonly log: Logger;
  /** Milliseconds from a change to its state: several changes make one. Default 150. */
  readonly coalesce?: number;
  /** Milliseconds after which a new state is made without a call. Default 1,000. */
  readonly interval?: number;
}

export interface Subscription {
  /** The text of what was not taken yet: first of all of it. */
  take(): Iterable<string>;
  /** Resolves with true when there is more to take, with false after `limit` milliseconds or if `gone`. */
  changed(limit: number, gone: AbortSignal): Promise<boolean>;
  close(): void;
}

export class LiveSource {
  readonly #options: Required<LiveSourceOptions>;
  readonly #log = new ChangeLog();
  readonly #waiting = new Set<() => void>();
  #subscribers = 0;
  #maker: StateMaker | undefined;
  #state: LiveState | undefined;
  #madeAt = 0;
  #revision = 0;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #isMaking = false;
  #hasFailed = false;

  constructor(options: LiveSourceOptions) {
    this.#options = { coalesce: 150, interval: 1_000, ...options };
  }

  /** Something may have changed. Costs nothing without a reader. */
  readonly changed = (): void => {
    if (this.#maker !== undefined) this.#schedule(this.#options.coalesce);
  };

  subscribe(): Subscription {
    this.#subscribers += 1;
    if (this.#maker === undefined) this.#open();
    let taken: number | undefined;
    let isClosed = false;
    return {
      take: () => {
        const from = taken;
        taken = this.#state === undefined ? undefined : this.#revision;
        return this.#textSince(from);
      },
      changed: (limit, gone) => this.#change(() => taken, limit, gone),
      close: () => {
        if (!isClosed) this.#unsubscribe();
        isClosed = true;
      },
    };
  }

  close(): void {
    this.#subscribers = 0;
    this.#close();
  }

  #unsubscribe(): void {
    this.#subscribers = Math.max(0, this.#subscribers - 1);
    if (this.#subscribers === 0) this.#close();
  }

  #open(): void {
    this.#maker = this.#options.open(this.changed);
    this.#schedule(0);
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#maker?.close();
    this.#maker = undefined;
    this.#state = undefined;
    this.#due = Number.POSITIVE_INFINITY;
    this.#log.clear();
  }

  #textSince(revision: number | undefined): Iterable<string> {
    if (this.#state === undefined || revision === this.#revision) return [];
    const changes = revision === undefined ? undefined : this.#log.after(revision);
    if (changes !== undefined) return changes.flatMap(({ pieces }) => pieces);
    return snapshotText({ revision: this.#revision, at: this.#madeAt }, this.#state);
  }

  #change(taken: () => number | undefined, limit: number, gone: AbortSignal): Promise<boolean> {
    const hasMore = () => this.#state !== undefined && taken() !== this.#revision;
    if (hasMore()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', end);
        this.#waiting.delete(end);
        resolve(hasMore() && !gone.aborted);
      };
      const timer = setTimeout(end, limit);
      gone.addEventListener('abort', end);
      this.#waiting.add(end);
    });
  }

  /** The earliest of all requests counts. */
  #schedule(wait: number): void {
    const due = this.#options.now() + wait;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    if (!this.#isMaking) this.#timer = setTimeout(() => void this.#make(), wait);
  }

  async #make(): Promise<void> {
    const maker = this.#maker;
    if (maker === undefined) return;
    this.#due = Number.POSITIVE_INFINITY;
    this.#isMaking = true;
    try {
      const next = await maker.next(this.#state ?? EMPTY_STATE);
      if (maker === this.#maker) await this.#take(maker, next);
      this.#hasFailed = false;
    } catch (error) {
      this.#reportOnce(error);
    } finally {
      this.#isMaking = false;
    }
    this.#rest();
  }

  /** Until the next time; what was requested meanwhile counts. */
  #rest(): void {
    if (this.#maker === undefined) return;
    const { now, interval } = this.#options;
    const wait = Math.max(0, Math.min(this.#due - now(), interval));
    this.#due = Number.POSITIVE_INFINITY;
    this.#schedule(wait);
  }

  async #take(maker: StateMaker, next: LiveState): Promise<void> {
    const moment = { revision: this.#revision + 1, at: this.#options.now() };
    if (this.#state !== undefined) {
      const changes = changesBetween(this.#state, next);
      if (changes === undefined) return;
      const pieces = await inSlices(gathered(changesText(moment, changes)), { slice: SLICE });
      if (maker !== this.#maker) return;
      this.#log.add({ revision: moment.revision, pieces });
    }
    this.#state = next;
    this.#madeAt = moment.at;
    this.#revision = moment.revision;
    for (const wake of [...this.#waiting]) wake();
  }

  #reportOnce(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.log.error({ error: messageOf(error) }, 'the state for the page cannot be made');
  }
}

/** Milliseconds. */
const SLICE = 5;

function* gathered<T>(all: Iterable<T>): Steps<readonly T[]> {
  const found: T[] = [];
  for (const one of all) {
    found.push(one);
    yield;
  }
  return found;
}
