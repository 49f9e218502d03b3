/**
 * Hundreds of blocking queries where Consul allows a client 200 connections and resets those beyond
 * (tried on 1.8): each blocking query takes one of a limited number of slots, and when there are more
 * questions than slots, all block for a shorter time, so that each has its turn in every round.
 * Reads that do not block have slots of their own and never stand behind those that do.
 */
import type { Question } from './question.ts';

/** At most `size` things at once, first come first served. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = size;
  }

  async use<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    try {
      return await work();
    } finally {
      this.#release();
    }
  }

  /** A slot is handed over, never freed in between: nobody overtakes. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(enter);
        reject(signal.reason);
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** Connections for reads that do not block. With 80 for those that do, two runs stay below 200. */
const quickSlots = 16;
/** In ms: the shortest round, the shortest block, and how many of a longer round each question takes. */
const shortestRound = 2_000;
const shortestWait = 250;
/** Fifty questions a second, however many there are: what Consul's servers carry for each host. */
const share = 20;

/** In ms, for each question: where there is room for all, they ask twice a second together. */
const perQuestion = 500;

/** How long a blocking query may hang, in ms: as one of few, and as one of many. */
export interface Limits {
  readonly few: number;
  readonly many: number;
}

export class Crowd {
  readonly #size: number;
  readonly #blocking: Slots;
  readonly #quick = new Slots(quickSlots);
  #members = 0;

  constructor(size: number) {
    this.#size = size;
    this.#blocking = new Slots(size);
  }

  /** Counts a question in; the result counts it out, once. */
  join(): () => void {
    this.#members += 1;
    let isIn = true;
    return () => {
      if (isIn) this.#members -= 1;
      isIn = false;
    };
  }

  /** How long a blocking query may hang now, in ms. */
  wait({ few, many }: Limits): number {
    if (this.#members <= this.#size) return Math.max(few, Math.min(many, perQuestion * this.#members));
    const round = Math.max(shortestRound, share * this.#members);
    return Math.min(few, Math.max(shortestWait, Math.floor((round * this.#size) / this.#members)));
  }

  admit<T>(question: Question<T>): Question<T> {
    return {
      ...question,
      ask: (how, signal) => {
        const slots = how.kind === 'blocking' ? this.#blocking : this.#quick;
        return slots.use(signal, () => question.ask(how, signal));
      },
      checkRights: (answer, missing, signal) =>
        this.#quick.use(signal, () => question.checkRights(answer, missing, signal)),
    };
  }
}
