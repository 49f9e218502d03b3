/**
 * One question, kept up to date by blocking queries: a loop that reads, judges, believes or keeps what
 * it has, and never ends by itself.
 *
 *     consistent read ──► judge ──► rights ──► believe ──► blocking read ──► judge ──► …
 *          ▲                └─ again, after a moment ─┐         │
 *          └────────────────────────◄─────────────────┴─────────┴── any error, after a pause
 *
 * - The first read, and the first after any error, does not block. It is consistent where nothing is
 *   known to hold it against; else any server may answer, lest a whole fleet comes back to the leader.
 * - Equal content has an equal digest and calls nobody, however often the index moves.
 * - While the source is lost, `value` is kept, `error` says why, `confirmedAt` stands still.
 * - A Consul that hangs is noticed after `wait` (plus the sixteenth that Consul adds) and the client's
 *   timeout; a revoked token only by the next query (tried: the query in flight is still answered). So
 *   `wait` of the rules is far below Consul's default of five minutes, and they tell services, whose
 *   `wait` may be longer (canary.ts).
 *
 * It does without the package's `watch`, which ends for good after an HTTP 400, and calls when only
 * the index moved.
 */

import { ConsulError } from '../../common/errors.ts';
import type { Watched } from '../../inventory/sources.ts';
import { type Clock, systemClock } from './clock.ts';
import { Position } from './index-cursor.ts';
import type { Answer, Question } from './query.ts';
import { Outage } from './reconnect-coordinator.ts';
import { Backoff, type BackoffOptions, Pace, type PaceOptions } from './rhythm.ts';
import { type Doubts, judge, type Known, missingFrom, noDoubts } from './validation.ts';

export interface BlockingQueryOptions {
  /** How long the next blocking query may hang, in ms. */
  readonly wait: () => number;
  /** How long an empty answer of a Consul that has lost its history is doubted, in ms; default: forever. */
  readonly patience?: number;
  /** Longest pause before something that looks wrong is read again, in ms; default 300, at least half. */
  readonly reread?: number;
  readonly backoff?: BackoffOptions;
  /** Shared with the other watches of the source; default: one of its own. */
  readonly outage?: Outage;
  /** Comes back before the other watches of the source; default false. */
  readonly isUrgent?: boolean;
  readonly pace?: PaceOptions;
  readonly clock?: Clock;
  /**
   * What a former run of the program knew. It is no value, but an empty answer is held against it.
   * Its index is not known: only a Consul whose index is 1 has lost its history for sure.
   */
  readonly former?: Omit<Known, 'index'> | undefined;
  readonly onClose?: () => void;
}

const defaults = {
  ...{ patience: Number.POSITIVE_INFINITY, reread: 300, clock: systemClock, isUrgent: false },
  onClose: () => {},
};

export class BlockingQuery<T> implements Watched<T> {
  readonly #question: Question<T>;
  /** Must not throw. */
  readonly #onChange: () => void;
  readonly #options: Required<Omit<BlockingQueryOptions, 'backoff' | 'outage' | 'pace' | 'former'>>;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #outage: Outage;
  readonly #pace: Pace;
  readonly #closing = new AbortController();

  #value: T | undefined;
  #error: Error | undefined;
  #confirmedAt: number | undefined;

  #known: Known | undefined;
  #doubts: Doubts = noDoubts;
  readonly #position = new Position();
  /** No answer was believed since the start or the last error. */
  #isFresh = true;

  constructor(question: Question<T>, onChange: () => void, options: BlockingQueryOptions) {
    const { backoff, outage, pace, former, ...rest } = options;
    this.#question = question;
    this.#onChange = onChange;
    this.#options = { ...defaults, ...rest };
    this.#known = former && { ...former, index: 1n };
    this.#random = backoff?.random ?? Math.random;
    this.#backoff = new Backoff(backoff);
    this.#outage = outage ?? new Outage({ backoff, clock: this.#options.clock });
    this.#pace = new Pace(pace);
    void this.#run();
  }

  get value(): T | undefined {
    return this.#value;
  }

  get error(): Error | undefined {
    return this.#error;
  }

  get confirmedAt(): number | undefined {
    return this.#confirmedAt;
  }

  /** Ends the request in flight and all timers; `onChange` is not called any more. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#options.onClose();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#readOnce();
      } catch (error) {
        if (this.#closing.signal.aborted) return;
        await this.#lose(error);
      }
    }
  }

  async #readOnce(): Promise<void> {
    const { clock, patience } = this.#options;
    const { signal } = this.#closing;
    await this.#rest(this.#pace.delay(clock.now()));
    this.#pace.started(clock.now());
    const how = this.#position.next(this.#options.wait(), this.#chance());
    const answer = await this.#question.ask(how, signal);
    signal.throwIfAborted();
    const at = { consistent: how.kind === 'consistent', now: clock.now(), patience };
    const verdict = judge(this.#known, answer, this.#doubts, at);
    switch (verdict.kind) {
      case 'believe':
        return this.#believe(answer);
      case 'again':
        this.#doubts = verdict.doubts;
        this.#position.readAtOnce({ consistent: true });
        return this.#rest(Math.floor(this.#options.reread * this.#chance()));
      case 'doubt':
        await this.#checkRights(answer);
        this.#doubts = verdict.doubts;
        return this.#doubt(answer);
    }
  }

  /** From a half to one. */
  #chance(): number {
    return (1 + this.#random()) / 2;
  }

  async #believe(answer: Answer<T>): Promise<void> {
    await this.#checkRights(answer);
    const isNew = this.#confirmedAt === undefined || this.#known?.digest !== answer.digest;
    this.#known = answer;
    this.#doubts = noDoubts;
    this.#error = undefined;
    this.#confirmedAt = this.#options.clock.now();
    this.#goOn(answer);
    if (!isNew) return;
    this.#value = answer.value;
    this.#onChange();
  }

  #doubt(answer: Answer<T>): void {
    const { name, confirmation } = this.#question;
    this.#error = new ConsulError(
      `Consul lists nothing for ${name} and has lost its history (index ${answer.index}, after ${this.#known?.index}), as if restarted empty; the last known state stays in force: restore its data, or ${confirmation}.`,
    );
    this.#goOn(answer);
  }

  #goOn(answer: Answer<T>): void {
    this.#position.blockOn(answer.index);
    this.#isFresh = false;
    this.#backoff.succeeded(this.#options.clock.now());
    this.#outage.answered();
  }

  async #checkRights(answer: Answer<T>): Promise<void> {
    const missing = missingFrom(this.#known, answer);
    if (!this.#isFresh && missing.length === 0) return;
    await this.#question.checkRights(answer, missing, this.#closing.signal);
    this.#closing.signal.throwIfAborted();
  }

  async #lose(error: unknown): Promise<void> {
    this.#error = error instanceof Error ? error : new Error(String(error));
    this.#isFresh = true;
    const isDoubted = this.#confirmedAt === undefined || this.#doubts.lostSince !== undefined;
    this.#position.readAtOnce({ consistent: isDoubted });
    this.#doubts = { ...this.#doubts, emptyBefore: false };
    const pause = this.#backoff.failed(this.#options.clock.now());
    await this.#outage.turn(pause, this.#options.isUrgent, this.#closing.signal).catch(() => {});
  }

  async #rest(ms: number): Promise<void> {
    const { signal } = this.#closing;
    if (ms > 0) await this.#options.clock.sleep(ms, signal);
    signal.throwIfAborted();
  }
}
