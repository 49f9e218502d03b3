/**
 * What the watches of one source share when Consul fails them: one of them tries for all, and once one is
 * answered the others come back one by one.
 *
 *     fails ──► queue ──► its turn ─┬─ Consul is away: after a pause that doubles ─────────────► tries
 *                                   └─ it has answered: one each 200 ms, all within 5 s ────────► tries
 *
 * A host with fifty services sends one request for each pause while Consul is away, not fifty-one, and a fleet
 * that lost Consul in one instant does not return in one (docs/scaling.md has the figures). The turns go round,
 * so a query that fails for its own reasons does not delay the others.
 */
import PQueue from 'p-queue';
import { Backoff, type Timing } from './timing.ts';

/** Milliseconds in which one more comes back, on average, and in which all are back. */
const PER_RETURN = 200;
const LONGEST_RETURN = 5_000;

export class ReconnectCoordinator {
  readonly #timing: Timing;
  readonly #backoff: Backoff;
  /** One at a time waits for the end of its pause. Its try is not part of its turn, because it may hang. */
  readonly #queue = new PQueue({ concurrency: 1 });
  #perReturn = PER_RETURN;
  /** Aborted when Consul answers; undefined while nothing has failed since. */
  #outage: AbortController | undefined;

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#backoff = new Backoff(timing);
  }

  /** Some watch of the source has a result. */
  answered(): void {
    this.#backoff.succeeded();
    if (this.#outage === undefined) return;
    this.#perReturn = Math.min(PER_RETURN, LONGEST_RETURN / (this.#queue.size + 1));
    this.#outage.abort();
    this.#outage = undefined;
  }

  /** Resolves when a watch that failed may try again; rejects when `signal` aborts. Urgent ones go first. */
  async turn(isUrgent: boolean, signal: AbortSignal): Promise<void> {
    this.#outage ??= new AbortController();
    await this.#queue.add(() => this.#pause(isUrgent, signal), { priority: isUrgent ? 1 : 0, signal });
  }

  async #pause(isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#timing;
    const outage = this.#outage?.signal;
    if (outage === undefined) {
      if (!isUrgent) await clock.sleep(2 * random() * this.#perReturn, signal);
      return;
    }
    const either = AbortSignal.any([outage, signal]);
    await clock.sleep(this.#backoff.failed(), either).catch(() => {});
  }
}
