/**
 * Hundreds of blocking queries where Consul allows a client 200 connections and resets those beyond
 * (tried on 1.8): each blocking query takes one of a limited number of slots, and where there are more
 * questions than slots, they take turns. Who waits for its turn hears nothing, so:
 *
 * - While bells.ts watches the tables that all services stand in, turns are long. When a bell rings,
 *   those that wait are asked for a glance, fifty a second; those that hang hear it from Consul.
 * - While it does not, as Consul has not answered it yet, or will not, turns are short: fifty a second.
 *
 * Reads that do not block have slots of their own and never stand behind those that do.
 */
import { type Clock, systemClock } from './clock.ts';
import type { Answer, Question } from './query.ts';
import { Slots } from './semaphore.ts';
import { Visits } from './throttle.ts';

/** Connections for reads that do not block. With 80 for those that do, two runs stay below 200. */
const quickSlots = 16;
/** In ms: the shortest round, the shortest block, and how many of a longer round each question takes. */
const shortestRound = 2_000;
const shortestWait = 250;
/** Fifty questions a second, however many there are: what Consul's servers carry for each host. */
const share = 20;
/** In ms, for each question of a round at rest: all together ask twice a second. */
const perQuestion = 500;
/** In ms: a quarter of an hour after which a service counts as stale leaves room for what goes wrong. */
const longestRest = 560_000;
/** How long a glance blocks, in ms: longer than one server hears of a change after another. */
const glance = 200;
/** An answer may be this much older than its end, in ms, on its way or from a server that is behind. */
const delay = 1_000;

/** A datacenter; undefined: the agent's own. */
export type Place = string | undefined;

/** How long a blocking query may hang, in ms: as one of few, and as one of many. */
export interface Limits {
  readonly few: number;
  readonly many: number;
}

export interface CrowdOptions {
  /** Somebody calls `ring` when anything moves. */
  readonly isAttended?: () => boolean;
  readonly clock?: Clock;
  readonly random?: () => number;
}

interface Waiting {
  readonly place: Place;
  readonly call: () => void;
}

/** Why one leaves the queue, if not because it was closed. */
const called = Symbol('called');

export class Crowd {
  readonly #size: number;
  readonly #isAttended: () => boolean;
  readonly #clock: Clock;
  readonly #blocking: Slots;
  readonly #quick = new Slots(quickSlots);
  #members = 0;
  /** How many of them are at each place. */
  readonly #places = new Map<Place, number>();
  readonly #waiting = new Set<Waiting>();
  readonly #visits: Visits;
  /** When something last moved at a place. */
  readonly #rung = new Map<Place, number>();

  constructor(size: number, { isAttended = () => false, clock = systemClock, random }: CrowdOptions = {}) {
    this.#size = size;
    this.#isAttended = isAttended;
    this.#clock = clock;
    this.#blocking = new Slots(size);
    this.#visits = new Visits({ interval: share, clock, ...(random && { random }) });
  }

  /** Counts a question in; the result counts it out, once. */
  join(place?: Place): () => void {
    this.#count(place, 1);
    let isIn = true;
    return () => {
      if (isIn) this.#count(place, -1);
      isIn = false;
    };
  }

  /** Where questions are that have to take turns; none while there is room for all. */
  get crowded(): ReadonlySet<Place> {
    return new Set(this.#hasRoom ? [] : this.#places.keys());
  }

  /** How long a blocking query may hang now, in ms. */
  wait({ few, many }: Limits): number {
    const count = this.#members;
    const rest = Math.min(longestRest, perQuestion * count);
    if (this.#hasRoom) return Math.max(few, Math.min(many, rest));
    const isAttended = this.#isAttended();
    const round = isAttended ? rest : Math.max(shortestRound, share * count);
    const turn = Math.max(shortestWait, Math.floor((round * this.#size) / count));
    return Math.min(isAttended ? many : few, turn);
  }

  /** Something moved there, of whatever service: who waits is asked soon. */
  ring(place: Place): void {
    this.#rung.set(place, this.#clock.now());
    for (const one of this.#waiting) if (one.place === place) this.#visits.add(one.call);
  }

  admit<T>(question: Question<T>, place?: Place): Question<T> {
    /** Until when nothing can have been missed, in ms. */
    let asOf = Number.NEGATIVE_INFINITY;
    const read: typeof question.ask = async (how, signal) => {
      const started = this.#clock.now();
      const answer = await question.ask(how, signal);
      asOf = how.kind === 'blocking' ? Math.max(started, this.#clock.now() - delay) : started;
      return answer;
    };
    const ask: typeof question.ask = (how, signal) => {
      if (how.kind !== 'blocking') return this.#quick.use(signal, () => read(how, signal));
      const rung = this.#rung.get(place);
      const isLate = rung !== undefined && rung >= asOf;
      const glimpse = () => read({ ...how, wait: Math.min(how.wait, glance) }, signal);
      return this.#takeTurn({ place, isLate, signal }, () => read(how, signal), glimpse);
    };
    const checkRights: typeof question.checkRights = (answer, missing, signal) =>
      this.#quick.use(signal, () => question.checkRights(answer, missing, signal));
    return { ...question, ask, checkRights };
  }

  get #hasRoom(): boolean {
    return this.#members <= this.#size;
  }

  #count(place: Place, by: 1 | -1): void {
    this.#members += by;
    const count = (this.#places.get(place) ?? 0) + by;
    if (count > 0) this.#places.set(place, count);
    else this.#places.delete(place);
  }

  /** `read` when there is room; `glimpse` if it is called before. */
  async #takeTurn<T>(
    {
      place,
      isLate,
      signal,
    }: { readonly place: Place; readonly isLate: boolean; readonly signal: AbortSignal },
    read: () => Promise<Answer<T>>,
    glimpse: () => Promise<Answer<T>>,
  ): Promise<Answer<T>> {
    signal.throwIfAborted();
    const queue = new AbortController();
    const close = () => queue.abort(signal.reason);
    signal.addEventListener('abort', close, { once: true });
    const waiting = { place, call: () => queue.abort(called) };
    const leave = () => {
      signal.removeEventListener('abort', close);
      this.#waiting.delete(waiting);
      this.#visits.delete(waiting.call);
    };
    this.#waiting.add(waiting);
    if (isLate) this.#visits.add(waiting.call);
    try {
      return await this.#blocking.use(queue.signal, () => {
        leave();
        return read();
      });
    } catch (error) {
      if (error !== called) throw error;
    } finally {
      leave();
    }
    return this.#quick.use(signal, glimpse);
  }
}
