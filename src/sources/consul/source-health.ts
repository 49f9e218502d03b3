/**
 * The watch of the rules asks often, those of services do not: with hundreds of them each may hang for minutes.
 * So the rules tell the others of a loss that comes in silence, as a canary does.
 *
 *     the rules fail, and are answered again ─────► services are read anew, one by one, all within 5 s
 *     they are refused (token, rights) ───────────► the same, at once: the others may be refused too
 *     they fail, and still get no answer at all ──► services are lost too, and wait for Consul with them
 *
 * Only queries that hung when it began are given up. Consul goes on counting a connection that was closed
 * until the time of its query is over (tried on 1.8), and refuses those beyond its limit. So a question
 * is read anew only once in that time, and meanwhile its queries are short: those end soon by themselves,
 * as all of them do where services are few, and are not given up.
 */
import { type Clock, systemClock } from './clock.ts';
import { isRefusal, isUnanswered } from './errors.ts';
import type { Question } from './query.ts';
import { Trust } from './wait-limiter.ts';

export interface CanaryOptions {
  /** When a query may be given up, in ms from now, lest all of them are at once. */
  readonly place: () => number;
  /** For how long the rules get no answer before services count as lost too, in ms. */
  readonly patience: number;
  /** A query that hangs this long at most, in ms, is short. */
  readonly short: number;
  readonly clock?: Clock;
  /** From 0 to 1; default: chance. */
  readonly random?: () => number;
}

/** A blocking query that hangs. */
interface Flight {
  readonly since: number;
  readonly isShort: boolean;
  /** Aborted with why it is given up. */
  readonly attempt: AbortController;
  /** Aborted when it has ended, however. */
  readonly end: AbortController;
}

/** Why a query is given up, if not for an error. */
const anew = Symbol('read anew');

export class Canary {
  readonly #options: Required<CanaryOptions>;
  readonly #flights = new Set<Flight>();
  /** Since when the rules fail. */
  #failedSince: number | undefined;
  /** When they last did, in ms. */
  #lastFailed = Number.NEGATIVE_INFINITY;
  #tellers = 0;

  constructor({ clock = systemClock, random = Math.random, ...options }: CanaryOptions) {
    this.#options = { ...options, clock, random };
  }

  /** Somebody tells of a loss. Where nobody does, queries are to be short. */
  get isSinging(): boolean {
    return this.#tellers > 0;
  }

  /** Counts a watch in that tells; the result counts it out, once. */
  join(): () => void {
    this.#tellers += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#tellers -= 1;
      isIn = false;
    };
  }

  /** The question that tells. */
  listen<T>(question: Question<T>): Question<T> {
    const ask: typeof question.ask = async (how, signal) => {
      try {
        const answer = await question.ask(how, signal);
        this.#answered();
        return answer;
      } catch (error) {
        if (!signal.aborted) this.#failed(error);
        throw error;
      }
    };
    return { ...question, ask };
  }

  /** A question that is told. */
  guard<T>(question: Question<T>): Question<T> {
    const { clock, short, random } = this.#options;
    const trust = new Trust({ short, random });
    const ask: typeof question.ask = async (how, signal) => {
      if (how.kind !== 'blocking') return question.ask(how, signal);
      const wait = trust.next(how.wait, clock.now(), this.#lastFailed);
      const flight = this.#depart(wait, signal);
      try {
        return await question.ask({ ...how, wait }, flight.attempt.signal);
      } catch (error) {
        const { aborted, reason } = flight.attempt.signal;
        if (!aborted) trust.failed(flight.since, clock.now());
        if (reason !== anew) throw aborted ? reason : error;
      } finally {
        flight.end.abort();
      }
      trust.gaveUp(wait, clock.now());
      return question.ask({ kind: 'stale' }, signal);
    };
    return { ...question, ask };
  }

  #depart(wait: number, signal: AbortSignal): Flight {
    signal.throwIfAborted();
    const attempt = new AbortController();
    const end = new AbortController();
    const { clock, short } = this.#options;
    const flight = { since: clock.now(), isShort: wait <= short, attempt, end };
    const cancel = () => attempt.abort(signal.reason);
    signal.addEventListener('abort', cancel, { once: true });
    end.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', cancel);
      this.#flights.delete(flight);
    });
    this.#flights.add(flight);
    return flight;
  }

  #failed(error: unknown): void {
    const now = this.#options.clock.now();
    const isFirst = this.#failedSince === undefined;
    this.#failedSince ??= now;
    this.#lastFailed = now;
    if (isFirst && isRefusal(error)) this.#readAnew(now);
    if (!isUnanswered(error) || now - this.#failedSince < this.#options.patience) return;
    for (const { attempt } of this.#hanging(this.#failedSince)) attempt.abort(error);
  }

  #answered(): void {
    const since = this.#failedSince;
    this.#failedSince = undefined;
    if (since !== undefined) this.#readAnew(since);
  }

  #readAnew(since: number): void {
    for (const flight of this.#hanging(since)) if (!flight.isShort) void this.#giveUpLater(flight);
  }

  /** It is kept until its turn comes, and may still be answered. */
  async #giveUpLater({ attempt, end }: Flight): Promise<void> {
    const { clock, place } = this.#options;
    await clock.sleep(place(), end.signal).then(
      () => attempt.abort(anew),
      () => {},
    );
  }

  #hanging(since: number): readonly Flight[] {
    return [...this.#flights].filter((flight) => flight.since <= since);
  }
}
