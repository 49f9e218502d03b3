/** Those who are to be called, one by one: each once, however often it was asked for. */
import { type Clock, systemClock } from './clock.ts';

export interface VisitsOptions {
  /** Milliseconds from one to the next, on average. */
  readonly interval: number;
  readonly clock?: Clock;
  /** From 0 to 1; default: chance, as all hosts of a fleet begin in the same instant. */
  readonly random?: () => number;
}

const forever = new AbortController().signal;

export class Visits {
  readonly #options: Required<VisitsOptions>;
  readonly #due = new Set<() => void>();
  #isRunning = false;

  constructor({ clock = systemClock, random = Math.random, ...options }: VisitsOptions) {
    this.#options = { ...options, clock, random };
  }

  add(call: () => void): void {
    this.#due.add(call);
    if (!this.#isRunning) void this.#run();
  }

  delete(call: () => void): void {
    this.#due.delete(call);
  }

  async #run(): Promise<void> {
    const { interval, clock, random } = this.#options;
    this.#isRunning = true;
    while (this.#due.size > 0) {
      await clock.sleep(2 * interval * random(), forever);
      const [next] = this.#due;
      if (next === undefined) break;
      this.#due.delete(next);
      next();
    }
    this.#isRunning = false;
  }
}
