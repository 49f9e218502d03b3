/**
 * A bounded number of jobs at once. When all slots are taken, those who wait get theirs in turn, one for each asker, so
 * that many jobs of one do not keep others waiting.
 */
export class FairSlots {
  readonly #most: number;
  #taken = 0;
  /** Asker → what it waits with; the asker whose turn is next comes first. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs the job when a slot is free. */
  async run<T>(asker: string, job: () => Promise<T>): Promise<T> {
    if (this.#taken >= this.#most) await this.#turnOf(asker);
    else this.#taken++;
    try {
      return await job();
    } finally {
      this.#pass();
    }
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
