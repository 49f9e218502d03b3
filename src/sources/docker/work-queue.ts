/**
 * Which containers must be looked at again, and looking at them: a few at a time, never twice at once.
 *
 * An id marked while it waits is looked at once; an id marked while it is being looked at is looked at
 * again afterwards, as what was just read may be what was before the change. One that takes long holds up no
 * other: the Engine may be silent about a container for as long as its processes like.
 */
type Waiting = Map<string, PromiseWithResolvers<void>>;

/** Milliseconds after which a visit no longer holds up others. */
const LONG = 1_000;

export class WorkQueue {
  readonly #visit: (id: string) => Promise<void>;
  readonly #concurrency: number;
  readonly #urgent: Waiting = new Map();
  readonly #routine: Waiting = new Map();
  readonly #active = new Set<string>();
  /** Visits that are waited for; those that take long go on apart. */
  #slots = 0;

  /** `visit` handles its own errors: what it throws is thrown to whoever marked the id. */
  constructor(visit: (id: string) => Promise<void>, concurrency: number) {
    this.#visit = visit;
    this.#concurrency = concurrency;
  }

  /** Something happened to it: looked at before all those that are only looked at in turn. */
  markUrgent(id: string): Promise<void> {
    const inTurn = this.#routine.get(id);
    if (inTurn !== undefined && this.#routine.delete(id)) this.#urgent.set(id, inTurn);
    return this.#mark(this.#urgent, id);
  }

  /** Resolves when it has been looked at, by a visit that began after this call. */
  mark(id: string): Promise<void> {
    return this.#mark(this.#urgent.has(id) ? this.#urgent : this.#routine, id);
  }

  /** Whether it waits to be read, is being read and will not be again, or neither. */
  stateOf(id: string): 'waiting' | 'active' | 'idle' {
    if (this.#urgent.has(id) || this.#routine.has(id)) return 'waiting';
    return this.#active.has(id) ? 'active' : 'idle';
  }

  /** Forgets all that wait; those who wait for them wait no longer. */
  clear(): void {
    for (const waiting of [this.#urgent, this.#routine]) {
      for (const { resolve } of waiting.values()) resolve();
      waiting.clear();
    }
  }

  #mark(waiting: Waiting, id: string): Promise<void> {
    const done = waiting.get(id) ?? Promise.withResolvers<void>();
    waiting.set(id, done);
    this.#pump();
    return done.promise;
  }

  #pump(): void {
    for (const waiting of [this.#urgent, this.#routine]) {
      for (const [id, done] of waiting) {
        if (this.#slots >= this.#concurrency) return;
        if (this.#active.has(id)) continue;
        waiting.delete(id);
        void this.#run(id, done);
      }
    }
  }

  async #run(id: string, done: PromiseWithResolvers<void>): Promise<void> {
    this.#active.add(id);
    const giveBack = this.#takeSlot();
    try {
      await this.#visit(id);
      done.resolve();
    } catch (error) {
      done.reject(error);
    } finally {
      this.#active.delete(id);
      giveBack();
    }
  }

  /** Given back at the end of the visit, or when that takes long. */
  #takeSlot(): () => void {
    this.#slots += 1;
    let isHeld = true;
    const giveBack = () => {
      clearTimeout(timer);
      if (isHeld) this.#slots -= 1;
      isHeld = false;
      this.#pump();
    };
    const timer = setTimeout(giveBack, LONG);
    return giveBack;
  }
}
