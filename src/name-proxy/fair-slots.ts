/**
 * A bounded number of jobs at once. When all slots are taken, those who wait get theirs in turn, one for each asker, so
 * that many jobs of one do not keep others waiting. A few of each asker run at once in any case: jobs of several others may
 * hold all slots for seconds.
 */
export class FairSlots {
  readonly #most: number;
  readonly #assured: number;
  #taken = 0;
  /** Asker → its jobs that run. */
  readonly #running = new Map<string, number>();
  /** Asker → what it waits with; the asker whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /** `assured`: jobs of an asker that run at once, even over the limit. */
  constructor(most: number, assured = 0) {
    this.#most = most;
    this.#assured = assured;
  }

  /** Runs the job when a slot is free. */
  async run<T>(asker: string, job: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.#most && this.#runningOf(asker) >= this.#assured) await this.#turnOf(asker);
    else this.#taken++;
    this.#running.set(asker, this.#runningOf(asker) + 1);
    try {
      return await job();
    } finally {
      this.#end(asker);
      this.#pass();
    }
  }

  #runningOf(asker: string): number {
    return this.#running.get(asker) ?? 0;
  }

  #end(asker: string): void {
    const left = this.#runningOf(asker) - 1;
    if (left > 0) this.#running.set(asker, left);
    else this.#running.delete(asker);
  }

  #turnOf(asker: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(asker);
    if (waiting === undefined) this.#waiting.set(asker, [resolve]);
    else waiting.push(resolve);
    return promise;
  }

  /** The slot goes to the next asker, which then comes last; or it is free. */
  #pass(): void {
    if (this.#taken > this.#most) {
      this.#taken--;
      return;
    }
    for (const [asker, waiting] of this.#waiting) {
      this.#waiting.delete(asker);
      const next = waiting.shift();
      if (waiting.length > 0) this.#waiting.set(asker, waiting);
      if (next === undefined) continue;
      next();
      return;
    }
    this.#taken--;
  }
}
