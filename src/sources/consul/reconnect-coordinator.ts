/**
 * What the watches of one source share when Consul fails them: one of them tries for all, and once one
 * is answered the others come back one by one.
 *
 *     fails ──► waits ──┬─ its turn: one of those that wait, after each pause ───────────► tries
 *                       └─ another was answered: one each 200 ms or so, all within 5 s ────► tries
 *
 * A host with fifty services asks a Consul that is away once per pause and not fifty-one times, and a
 * fleet that lost it in one instant does not come back in one (docs/scaling.md has the arithmetic).
 * Turns go round, so a question that fails for reasons of its own keeps nobody else away.
 */
import { type Clock, systemClock } from './clock.ts';
import { Backoff, type BackoffOptions } from './rhythm.ts';

export interface OutageOptions {
  /** Of the pauses between two turns. */
  readonly backoff?: BackoffOptions | undefined;
  readonly clock?: Clock | undefined;
}

/** Milliseconds in which one watch more comes back, on average, and in which all are back. */
const perReturn = 200;
const longestReturn = 5_000;

interface Waiting {
  readonly isUrgent: boolean;
  /** With how long to wait still, in ms; undefined: it is its turn, now. */
  readonly release: (rest?: number) => void;
}

export class Outage {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<Waiting>();
  /** When the last of those that come back one by one will try. */
  #last = Number.NEGATIVE_INFINITY;
  /** Ends the pause between two turns; undefined while nobody waits. */
  #pausing: AbortController | undefined;

  constructor({ backoff = {}, clock = systemClock }: OutageOptions = {}) {
    this.#clock = clock;
    this.#random = backoff.random ?? Math.random;
    this.#backoff = new Backoff(backoff);
  }

  /** Some watch of the source has an answer that it believes. */
  answered(): void {
    this.#backoff.succeeded(this.#clock.now());
    for (const { isUrgent, release } of [...this.#waiting]) release(isUrgent ? 0 : this.place());
  }

  /**
   * Resolves when a watch that failed may try again; rejects when `signal` aborts. `pause`: the ms that
   * it rests at least where others are answered. `isUrgent`: it then comes back before the others.
   */
  async turn(pause: number, isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const due = this.#clock.now() + pause;
    const delay = await this.#wait(isUrgent, signal);
    if (delay === undefined) return;
    // A clock that was set back must not stop us.
    const left = Math.min(due - this.#clock.now(), pause);
    const rest = Math.floor(Math.max(left, delay));
    if (rest > 0) await this.#clock.sleep(rest, signal);
  }

  /** When one more may read: behind those that are on their way back, in ms from now; in a long queue, anywhere. */
  place(): number {
    const now = this.#clock.now();
    const next = Math.max(this.#last, now) + 2 * perReturn * this.#random();
    if (next - now > longestReturn) return this.#random() * longestReturn;
    this.#last = next;
    return next - now;
  }

  #wait(isUrgent: boolean, signal: AbortSignal): Promise<number | undefined> {
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) this.#pausing?.abort();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      const release = (rest?: number) => {
        leave();
        resolve(rest);
      };
      const waiting: Waiting = { isUrgent, release };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiting);
      if (this.#pausing === undefined || this.#pausing.signal.aborted) void this.#giveTurns();
    });
  }

  /** A turn does not wait for the end of the one before, which may hang until its timeout. */
  async #giveTurns(): Promise<void> {
    const pausing = new AbortController();
    this.#pausing = pausing;
    while (!pausing.signal.aborted) {
      const pause = this.#backoff.failed(this.#clock.now());
      await this.#clock.sleep(pause, pausing.signal).catch(() => {});
      if (pausing.signal.aborted) return;
      const [next] = this.#waiting;
      next?.release();
    }
  }
}
