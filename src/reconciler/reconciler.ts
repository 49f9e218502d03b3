/**
 * Brings the observed state of all features to the desired one: one queue, one back-off, one drift scan and one order for all.
 *
 * A key is `feature/name`. Invariants: one job per key at a time; a job works for the newest plan; failed keys come
 * last and are retried; correct ones are inspected from time to time.
 */
import type { Backoff } from '../common/backoff.ts';
import { JobQueue, PRIORITY, type Priority } from '../common/job-queue.ts';
import { PeriodicScanner } from '../common/periodic-scanner.ts';
import type { Driver } from './driver.ts';
import { FeatureReconciler, type Reports } from './feature-reconciler.ts';
import { JobOrder } from './job-order.ts';

export type Key = string;

export interface ReconcilerOptions {
  /** Jobs at once, of all features. */
  readonly concurrency: number;
  readonly retry: Backoff;
  /** Milliseconds between two inspections of each key. */
  readonly driftInterval: number;
  readonly random: () => number;
  readonly now: () => number;
  /** Called at the end of each job. */
  readonly onEnded?: (() => void) | undefined;
  /** Called for errors that should never be thrown. */
  readonly onDefect: (error: unknown) => void;
}

/** Inspections in one interval: each costs as much processor time as a small load. */
const MOST_INSPECTIONS = 20;

interface Runner {
  run(name: string): Promise<void>;
  verify(name: string): void;
  close(): void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #features = new Map<string, Runner>();
  readonly #order = new JobOrder<Key>();
  readonly #queue: JobQueue<Key>;
  readonly #drift: PeriodicScanner<Key>;
  readonly #closing = new AbortController();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { concurrency, onDefect, driftInterval: interval, now } = options;
    this.#queue = new JobQueue({ concurrency, run: (key) => this.#run(key), onDefect });
    this.#drift = new PeriodicScanner({
      interval,
      most: MOST_INSPECTIONS,
      run: (key) => this.#verify(key),
      now,
    });
  }

  /** Adds a feature; its plans go to the returned reconciler. */
  add<Desired, Observed>(
    driver: Driver<Desired, Observed>,
    reports: Reports<Desired, Observed> = {},
  ): FeatureReconciler<Desired, Observed> {
    const { feature, after = [] } = driver;
    const { retry, random, now } = this.#options;
    const keyOf = (name: string): Key => `${feature}/${name}`;
    const reconciler = new FeatureReconciler(driver, reports, {
      ...{ retry, random, now, signal: this.#closing.signal },
      request: (name, priority) => this.#request(keyOf(name), priority),
      inspect: (name) => void this.#queue.request(keyOf(name), PRIORITY.verify),
      added: (name) => this.#drift.add(keyOf(name)),
      forgotten: (name) => this.#drift.delete(keyOf(name)),
    });
    this.#order.add(feature, after);
    this.#features.set(feature, reconciler);
    return reconciler;
  }

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Starts no more jobs and waits for the running ones. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const feature of this.#features.values()) feature.close();
    await this.#drift.close();
    await this.#queue.close();
  }

  #request(key: Key, priority: Priority): void {
    this.#order.requested(featureOf(key), key);
    this.#queue.request(key, priority);
  }

  #verify(key: Key): void {
    this.#features.get(featureOf(key))?.verify(key.slice(featureOf(key).length + 1));
  }

  async #run(key: Key): Promise<void> {
    const feature = featureOf(key);
    // Wait one microtask: then all requests of this sync are queued, and their order makes no difference.
    await Promise.resolve();
    if (!this.#order.begins(feature, key)) return;
    await this.#features.get(feature)?.run(key.slice(feature.length + 1));
    this.#options.onEnded?.();
    for (const free of this.#order.ended(feature, key)) this.#queue.request(free, PRIORITY.refresh);
  }
}

const featureOf = (key: Key): string => key.slice(0, key.indexOf('/'));
