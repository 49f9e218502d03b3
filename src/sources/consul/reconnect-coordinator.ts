/**
 * Coordinates the retries of all watches of one source: while Consul does not answer, only one of them tries at a
 * time; after an answer the others retry one by one.
 *
 *     fails ──► queue ──► its turn ─┬─ Consul is away: after a pause that doubles ─────────────► tries
 *                                   └─ it has answered: one each 200 ms, all within 5 s ────────► tries
 *
 * While Consul is away, a host with fifty services sends one request for each pause, not fifty-one, and hosts that
 * lost Consul at the same instant do not all return at one instant (docs/scaling.md has the figures). The watches take
 * turns, so a query that fails for its own reasons does not delay the others.
 */
import PQueue from 'p-queue';
import { RetryPause, type Timing } from './timing.ts';

/** Milliseconds between two retries, on average, and in which all retry. */
const RETRY_INTERVAL = 200;
const ALL_RETRIED = 5_000;

export class ReconnectCoordinator {
  readonly #timing: Timing;
  readonly #backoff: RetryPause;
  #retries = newRetryQueue();

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#backoff = new RetryPause(timing);
  }

  /** A watch of the source has a result. Later failures do not delay the watches that waited before. */
  answered(): void {
    this.#backoff.succeeded();
    const { queue, end } = this.#retries;
    const count = queue.size + queue.pending;
    if (count === 0) return;
    this.#retries.retryInterval = Math.min(RETRY_INTERVAL, ALL_RETRIED / count);
    this.#retries = newRetryQueue();
    end.abort();
  }

  /** Resolves when a failed watch may retry; rejects when `signal` aborts. Urgent watches go first. */
  async waitToRetry(isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const retries = this.#retries;
    const pause = () => this.#pause(retries, isUrgent, signal);
    await retries.queue.add(pause, { priority: isUrgent ? 1 : 0, signal });
  }

  async #pause({ end, retryInterval }: RetryQueue, isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#timing;
    if (!end.signal.aborted) {
      const either = AbortSignal.any([end.signal, signal]);
      await clock.sleep(this.#backoff.failed(), either).catch(() => {});
    } else if (!isUrgent) await clock.sleep(2 * random() * retryInterval, signal);
  }
}

/** The watches that have failed since Consul last answered. */
interface RetryQueue {
  /**
   * One watch at a time waits for the end of its pause. Its retry is not part of its turn, because it may hang.
   */
  readonly queue: PQueue;
  /** Aborted when Consul answers again. */
  readonly end: AbortController;
  /** Milliseconds between two retries after Consul answers again. */
  retryInterval: number;
}

const newRetryQueue = (): RetryQueue => ({
  ...{ queue: new PQueue({ concurrency: 1 }), end: new AbortController(), retryInterval: RETRY_INTERVAL },
});
