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
  #outage = newOutage();

  constructor(timing: Timing) {
    this.#timing = timing;
    this.#backoff = new Backoff(timing);
  }

  /** Some watch of the source has a result. What fails from now on does not delay those that waited before. */
  answered(): void {
    this.#backoff.succeeded();
    const { queue, end } = this.#outage;
    const count = queue.size + queue.pending;
    if (count === 0) return;
    this.#outage.perReturn = Math.min(PER_RETURN, LONGEST_RETURN / count);
    this.#outage = newOutage();
    end.abort();
  }

  /** Resolves when a watch that failed may try again; rejects when `signal` aborts. Urgent ones go first. */
  async turn(isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const outage = this.#outage;
    const pause = () => this.#pause(outage, isUrgent, signal);
    await outage.queue.add(pause, { priority: isUrgent ? 1 : 0, signal });
  }

  async #pause({ end, perReturn }: Outage, isUrgent: boolean, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#timing;
    if (!end.signal.aborted) {
      const either = AbortSignal.any([end.signal, signal]);
      await clock.sleep(this.#backoff.failed(), either).catch(() => {});
    } else if (!isUrgent) await clock.sleep(2 * random() * perReturn, signal);
  }
}

/** The watches that have failed since Consul last answered. */
interface Outage {
  /** One at a time waits for the end of its pause. Its try is not part of its turn, because it may hang. */
  readonly queue: PQueue;
  /** Aborted when Consul answers again. */
  readonly end: AbortController;
  /** In ms, from then on. */
  perReturn: number;
}

const newOutage = (): Outage => ({
  ...{ queue: new PQueue({ concurrency: 1 }), end: new AbortController(), perReturn: PER_RETURN },
});
