/**
 * Keeps the result of one query up to date with blocking reads. The loop never ends by itself:
 *
 *     consistent read ──► validate ──► check permissions ──► accept ──► blocking read ──► validate ──► …
 *          ▲                └─ retry, after a moment ──────┐   │
 *          └──────────────────────◄────────────────────────┴───┴── any error, after a pause
 *
 * - The first read, and the first after an error, does not block. It is consistent while there is nothing to compare
 *   it with; otherwise any server may answer, so that many hosts that return do not burden the leader.
 * - Equal content has an equal digest and causes no call, however often Consul's index changes.
 * - While Consul does not answer, `value` stays, `error` has the reason, and `confirmedAt` does not change.
 * - A Consul that hangs is noticed after `wait`, the sixteenth that Consul adds, and the client's timeout. A revoked
 *   token is noticed by the next read: Consul still answers the one that blocks (tried).
 *
 * The package's own `watch` ends for good after an HTTP 400, and calls when only the index moved.
 */
import { ConsulError } from '../../common/errors.ts';
import type { Watched } from '../../inventory/sources.ts';
import type { ReadMode } from './client.ts';
import type { Query, QueryResult } from './query.ts';
import type { ReconnectCoordinator } from './reconnect-coordinator.ts';
import { RetryPause, type Timing } from './timing.ts';
import { type Known, missingFrom, noSuspicion, type Suspicion, validate } from './validation.ts';

export interface BlockingQueryOptions {
  /** The longest time that one read may block, in ms. */
  readonly wait: number;
  /** How long an empty result is suspect after Consul has lost its history, in ms; default: forever. */
  readonly timeout?: number;
  readonly timing: Timing;
  /** Shared by the watches of a source. */
  readonly coordinator: ReconnectCoordinator;
  /** Reconnects before the other watches of the source. */
  readonly isUrgent?: boolean;
  /**
   * The last result of the previous run. It is not used as a value, but an empty result is compared with it.
   */
  readonly previous?: Omit<Known, 'index'> | undefined;
  readonly onError?: () => void;
  readonly onClose?: () => void;
}

/**
 * The shortest time between the starts of two reads, in ms, and up to half as long again: what changes all the time is
 * read twice a second.
 */
const INTERVAL = 400;

export class BlockingQuery<T> implements Watched<T> {
  readonly #query: Query<T>;
  /** Must not throw. */
  readonly #onChange: () => void;
  readonly #options: BlockingQueryOptions;
  readonly #timing: Timing;
  readonly #backoff: RetryPause;
  readonly #closing = new AbortController();

  value: T | undefined;
  error: Error | undefined;
  confirmedAt: number | undefined;

  #known: Known | undefined;
  #suspicion: Suspicion = noSuspicion;
  #mode: ReadMode = { kind: 'consistent' };
  #lastStart = Number.NEGATIVE_INFINITY;
  /** True if no result was accepted since the start or the last error. */
  #isFresh = true;

  constructor(query: Query<T>, onChange: () => void, options: BlockingQueryOptions) {
    const { timing, previous } = options;
    this.#query = query;
    this.#onChange = onChange;
    this.#options = options;
    this.#timing = timing;
    this.#backoff = new RetryPause(timing);
    // The previous index is not known; with 1, only a Consul with index 1 has certainly lost its history.
    this.#known = previous && { ...previous, index: 1n };
    void this.#run();
  }

  /** Ends the request in flight and all timers; `onChange` is not called any more. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#options.onClose?.();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        await this.#readOnce(signal);
      } catch (error) {
        if (!signal.aborted) await this.#fail(error, signal);
      }
    }
  }

  async #readOnce(signal: AbortSignal): Promise<void> {
    await this.#pace(signal);
    const mode = this.#mode;
    const result = await this.#query.execute(mode, signal);
    signal.throwIfAborted();
    const { timeout = Number.POSITIVE_INFINITY } = this.#options;
    const at = { consistent: mode.kind === 'consistent', now: this.#timing.clock.now(), timeout };
    const { kind, suspicion } = validate(this.#known, result, this.#suspicion, at);
    if (kind !== 'retry') await this.#checkPermissions(result, signal);
    this.#suspicion = suspicion;
    switch (kind) {
      case 'retry':
        this.#mode = { kind: 'consistent' };
        return this.#timing.clock.sleep(this.#share(this.#timing.reread), signal);
      case 'suspect':
        this.error = this.#historyLost(result);
        return this.#blockFrom(result.index);
      case 'accept':
        return this.#accept(result);
    }
  }

  async #pace(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#timing;
    const pause = this.#lastStart + INTERVAL * (1 + random() / 2) - clock.now();
    if (pause > 0) await clock.sleep(pause, signal);
    this.#lastStart = clock.now();
  }

  #accept(result: QueryResult<T>): void {
    const isNew = this.confirmedAt === undefined || this.#known?.digest !== result.digest;
    this.#known = result;
    this.error = undefined;
    this.confirmedAt = this.#timing.clock.now();
    this.#blockFrom(result.index);
    if (!isNew) return;
    this.value = result.value;
    this.#onChange();
  }

  #historyLost({ index }: QueryResult<T>): Error {
    const { name, confirmation } = this.#query;
    return new ConsulError(
      `Consul lists nothing for ${name} and has lost its history (index ${index}, after ${this.#known?.index}), as if restarted empty; the last known state stays in force: restore its data, or ${confirmation}.`,
    );
  }

  /**
   * Index 0 does not block, and some versions send it; 1 is always safe (Consul's advice). After a change the read
   * blocks for only a part of its time, so that hosts which read at the same instant do not do so again after `wait`.
   */
  #blockFrom(answered: bigint): void {
    const index = answered > 1n ? answered : 1n;
    const isQuiet = this.#mode.kind === 'blocking' && this.#mode.index === index;
    const { wait } = this.#options;
    this.#mode = { kind: 'blocking', index, wait: isQuiet ? wait : this.#share(wait) };
    this.#isFresh = false;
    this.#backoff.succeeded();
    this.#options.coordinator.answered();
  }

  async #checkPermissions(result: QueryResult<T>, signal: AbortSignal): Promise<void> {
    const missing = missingFrom(this.#known, result);
    if (!this.#isFresh && missing.length === 0) return;
    await this.#query.checkPermissions(result, missing, signal);
    signal.throwIfAborted();
  }

  async #fail(error: unknown, signal: AbortSignal): Promise<void> {
    this.error = error instanceof Error ? error : new Error(String(error));
    this.#isFresh = true;
    const isSuspect = this.confirmedAt === undefined || this.#suspicion.lostSince !== undefined;
    this.#mode = { kind: isSuspect ? 'consistent' : 'stale' };
    this.#suspicion = { ...this.#suspicion, emptyBefore: false };
    this.#options.onError?.();
    const own = this.#timing.clock.sleep(this.#backoff.failed(), signal);
    const turn = this.#options.coordinator.waitToRetry(this.#options.isUrgent ?? false, signal);
    // Both end early when the query is closed.
    await Promise.all([own, turn]).catch(() => {});
  }

  /** A random time between a half and the whole. */
  #share(ms: number): number {
    return Math.ceil((ms * (1 + this.#timing.random())) / 2);
  }
}
