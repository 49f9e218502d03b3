/**
 * Runs jobs, one at a time for each key and a bounded number at once.
 *
 * Invariants: a key waits at most once, however often it is requested; a request during the key's
 * run makes it run again afterwards, so that the newest state is always the last one
 * seen; the job reads what to do when it starts, so the queue carries keys and never data. Time
 * limits belong into the job: the next job on the same key never overlaps it.
 */
import PQueue from 'p-queue';
import { waitUntil } from './wait-until.ts';

/** Higher runs earlier. A namespace with nothing loaded comes before one to refresh. */
export const PRIORITY = { start: 2, refresh: 1, verify: 0 } as const;
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY];

export interface JobQueueOptions<Key extends string> {
  /** Jobs at once, over all keys. */
  readonly concurrency: number;
  /** Must handle its own failures; what it throws goes to `onDefect`. */
  readonly run: (key: Key) => Promise<void>;
  readonly onDefect: (error: unknown) => void;
  /** Milliseconds after which a job no longer holds up other keys; default: it does until its end. */
  readonly releaseAfter?: number;
}

interface Waiting {
  priority: Priority;
  readonly ended: PromiseWithResolvers<void>;
}

export class JobQueue<Key extends string> {
  readonly #queue: PQueue;
  readonly #options: JobQueueOptions<Key>;
  readonly #waiting = new Map<Key, Waiting>();
  readonly #running = new Set<Key>();

  constructor(options: JobQueueOptions<Key>) {
    this.#options = options;
    this.#queue = new PQueue({ concurrency: options.concurrency });
  }

  /** Makes sure that a run for `key` begins after now. Resolves at its end, or when it is forgotten. */
  request(key: Key, priority: Priority): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return this.#add(key, priority);
    if (priority > waiting.priority) {
      waiting.priority = priority;
      if (!this.#running.has(key)) this.#queue.setPriority(key, priority);
    }
    return waiting.ended.promise;
  }

  /** Whether it waits for a run, is running, or neither. */
  stateOf(key: Key): 'waiting' | 'running' | 'idle' {
    if (this.#waiting.has(key)) return 'waiting';
    return this.#running.has(key) ? 'running' : 'idle';
  }

  /** Resolves when nothing waits or runs. */
  async idle(): Promise<void> {
    await this.#queue.onIdle();
  }

  /** Forgets what waits and awaits the end of what runs. */
  async close(): Promise<void> {
    this.#queue.clear();
    for (const { ended } of this.#waiting.values()) ended.resolve();
    this.#waiting.clear();
    await this.#queue.onIdle();
  }

  #add(key: Key, priority: Priority): Promise<void> {
    const waiting = { priority, ended: Promise.withResolvers<void>() };
    this.#waiting.set(key, waiting);
    // A key that runs is added at the end of its run.
    if (!this.#running.has(key)) this.#enqueue(key, waiting);
    return waiting.ended.promise;
  }

  #enqueue(key: Key, waiting: Waiting): void {
    const { releaseAfter } = this.#options;
    const run = () => this.#run(key, waiting);
    const job = releaseAfter === undefined ? run : () => waitUntil(releaseAfter, run(), undefined);
    // Only fails if the queue is cleared.
    void this.#queue.add(job, { id: key, priority: waiting.priority });
  }

  async #run(key: Key, { ended }: Waiting): Promise<void> {
    this.#waiting.delete(key);
    this.#running.add(key);
    try {
      await this.#options.run(key);
    } catch (error) {
      this.#options.onDefect(error);
    }
    this.#running.delete(key);
    ended.resolve();
    const again = this.#waiting.get(key);
    if (again !== undefined) this.#enqueue(key, again);
  }
}
