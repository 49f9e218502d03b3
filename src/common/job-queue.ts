/**
 * Runs jobs, one at a time for each key and a bounded number at once.
 *
 * Invariants: a key waits at most once, however often it is requested; a request during the key's
 * run makes it run again afterwards, so that the newest state of the world is always the last one
 * seen; the job reads what to do when it starts, so the queue carries keys and never data. Time
 * limits belong into the job: the queue awaits its real end, for the next job on the same key must
 * not overlap it.
 */
import PQueue from 'p-queue';

/** Higher runs earlier. A namespace with nothing loaded comes before one to refresh. */
export const PRIORITY = { start: 2, refresh: 1, verify: 0 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

export interface JobQueueOptions<Key> {
  /** Jobs at once, over all keys. */
  readonly concurrency: number;
  /** Must handle its own failures; what it throws goes to `onDefect`. */
  readonly run: (key: Key) => Promise<void>;
  readonly onDefect: (error: unknown) => void;
}

interface Slot {
  /** Priority of the waiting run; undefined if none waits. */
  waiting: Priority | undefined;
  running: boolean;
  /** Tells the waiting p-queue entry that a more urgent one took its place. */
  ticket: number;
}

export class JobQueue<Key> {
  readonly #queue: PQueue;
  readonly #options: JobQueueOptions<Key>;
  readonly #slots = new Map<Key, Slot>();

  constructor(options: JobQueueOptions<Key>) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Makes sure that a run for `key` begins after now. */
  request(key: Key, priority: Priority): void {
    const slot = this.#slots.get(key) ?? { waiting: undefined, running: false, ticket: 0 };
    this.#slots.set(key, slot);
    if (slot.waiting !== undefined && slot.waiting >= priority) return;
    slot.waiting = priority;
    slot.ticket += 1;
    if (!slot.running) this.#enqueue(key, slot);
  }

  /** Keys that wait or run. */
  get size(): number {
    return this.#slots.size;
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Forgets what waits and awaits the end of what runs. */
  async close(): Promise<void> {
    this.#queue.clear();
    for (const slot of this.#slots.values()) slot.waiting = undefined;
    await this.#queue.onIdle();
  }

  #enqueue(key: Key, slot: Slot): void {
    const { ticket } = slot;
    const priority = slot.waiting ?? PRIORITY.verify;
    this.#queue
      .add(() => (slot.ticket === ticket ? this.#runOnce(key, slot) : undefined), { priority })
      .catch(this.#options.onDefect);
  }

  async #runOnce(key: Key, slot: Slot): Promise<void> {
    slot.waiting = undefined;
    slot.running = true;
    try {
      await this.#options.run(key);
    } finally {
      slot.running = false;
      if (slot.waiting === undefined) this.#slots.delete(key);
      else this.#enqueue(key, slot);
    }
  }
}
