/**
 * Keeps every namespace at what is wanted of it: holds the records, requests jobs for what differs,
 * tries again what failed, and compares with the kernel from time to time.
 */

import { type Backoff, delay } from '../common/backoff.ts';
import { LoadError, messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { NamespaceId, WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import { JobQueue, PRIORITY, type Priority } from './job-queue.ts';
import type { LoadMemory } from './load-memory.ts';
import { type JobContext, type Outcome, reconcile } from './namespace-job.ts';
import {
  attachmentsOf,
  type Desired,
  newState,
  type ReconcileState,
  sameDesired,
  sameInputs,
} from './reconcile-state.ts';

export interface ReconcilerOptions {
  /** Jobs at once. */
  readonly concurrency: number;
  /** Milliseconds for which a load waits for answers that are to come in a moment; then what is known must do. */
  readonly grace: number;
  readonly retry: Backoff;
  readonly random: () => number;
  readonly now: () => number;
}

export class NamespaceReconciler {
  readonly #options: ReconcilerOptions;
  readonly #context: () => JobContext;
  readonly #log: Logger;
  readonly #queue: JobQueue<NamespaceId>;
  readonly #memory: LoadMemory;
  readonly #records = new Map<NamespaceId, ReconcileState>();
  #closed = false;

  constructor(options: ReconcilerOptions, log: Logger, memory: LoadMemory, context: () => JobContext) {
    this.#options = options;
    this.#log = log;
    this.#memory = memory;
    this.#context = context;
    this.#queue = new JobQueue({
      concurrency: options.concurrency,
      run: (id) => this.#run(id),
      onDefect: (error) => log.error({ error: messageOf(error) }, 'job failed by a bug'),
    });
  }

  records(): IterableIterator<ReconcileState> {
    return this.#records.values();
  }

  /**
   * Says what `namespace` should hold. `mayHold`: it was there before the controller, so its kernel
   * must be looked at first.
   */
  want(namespace: WorkloadNamespace, want: Desired, { mayHold = false } = {}): void {
    const record = this.#records.get(namespace.id);
    if (record === undefined) {
      const remembered = this.#memory.recall(namespace.id, attachmentsOf(namespace));
      const begun = newState(namespace, want, { sinceStart: !mayHold, remembered });
      this.#records.set(namespace.id, begun);
      this.#request(begun);
      return;
    }
    const same = sameDesired(record.desired, want) && sameInputs(record.namespace, namespace);
    record.namespace = namespace;
    record.desired = want;
    if (!same) this.#request(record);
  }

  /** The namespace is no more. */
  forget(id: NamespaceId): void {
    clearTimeout(this.#records.get(id)?.timer);
    this.#records.delete(id);
  }

  /** Runs a job for one namespace, unless one is to come anyway. */
  refresh(id: NamespaceId): void {
    const record = this.#records.get(id);
    if (record !== undefined && record.timer === undefined) this.#queue.request(id, priorityOf(record));
  }

  /** Runs a job for every namespace. */
  recheck(): void {
    for (const id of this.#records.keys()) this.#queue.request(id, PRIORITY.refresh);
  }

  /** Compares a namespace with its kernel, when there is nothing more urgent. */
  verify(id: NamespaceId): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    record.unseen = true;
    this.#queue.request(id, PRIORITY.verify);
  }

  /** Resolves when no job waits or runs. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Begins no more jobs and awaits the end of those that run. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const record of this.#records.values()) clearTimeout(record.timer);
    await this.#queue.close();
  }

  /** A wait is not begun anew by what comes meanwhile, so it has an end. */
  #request(record: ReconcileState): void {
    if (record.desired.kind === 'rules' && record.desired.awaits)
      record.timer ??= this.#later(record, this.#options.grace);
    else this.#queue.request(record.namespace.id, priorityOf(record));
  }

  #later(record: ReconcileState, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      record.timer = undefined;
      this.#queue.request(record.namespace.id, priorityOf(record));
    }, milliseconds);
  }

  async #run(id: NamespaceId): Promise<void> {
    const record = this.#records.get(id);
    if (record === undefined || this.#closed) return;
    const started = this.#options.now();
    // What is wanted by now is what the job reads. A timer that is set from here on is for what comes after.
    clearTimeout(record.timer);
    record.timer = undefined;
    try {
      const outcome = await reconcile(record, this.#context());
      this.#succeeded(record, outcome, this.#options.now() - started);
    } catch (error) {
      this.#failed(record, error);
    }
  }

  #succeeded(record: ReconcileState, outcome: Outcome, ms: number): void {
    record.verifiedAt = this.#options.now();
    record.failures = 0;
    record.lastError = undefined;
    this.#remember(record);
    const { level, message } = OUTCOMES[outcome];
    const { target, grants } = record.namespace;
    const fields = {
      ...{ container: target.name, grants: abridged(grants) },
      ...{ fingerprint: record.loaded?.fingerprint, ms },
    };
    this.#log[level](fields, message);
  }

  #remember({ namespace, expected, isDoubtful }: ReconcileState): void {
    const loaded = isDoubtful ? undefined : expected;
    this.#memory.remember(namespace.id, attachmentsOf(namespace), loaded);
  }

  #failed(record: ReconcileState, thrown: unknown): void {
    const { target, id } = record.namespace;
    if (this.#closed || this.#records.get(id) !== record) return;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    record.failures += 1;
    record.loaded = undefined;
    // The Engine will soon say the same. If it does not, the container is not gone at all.
    const gone = error instanceof LoadError && error.gone && record.failures < GONE_IN_VAIN;
    const known = record.lastError?.message === error.message;
    record.lastError = gone ? undefined : error;
    clearTimeout(record.timer);
    record.timer = this.#later(record, delay(record.failures, this.#options.retry, this.#options.random));
    if (!gone && !known) {
      const fields = { container: target.name, error: error.message };
      this.#log.error(fields, 'rules could not be loaded; trying again');
    }
  }
}

/**
 * So many failures in a row because a container "is gone", and it is reported like any other. A busy Engine
 * may take seconds to say that fifty containers ended.
 */
const GONE_IN_VAIN = 5;

/** Keys in a line of the log. */
const MOST_GRANTS = 16;

const abridged = (grants: readonly string[]): readonly string[] =>
  grants.length <= MOST_GRANTS
    ? grants
    : [...grants.slice(0, MOST_GRANTS), `… and ${grants.length - MOST_GRANTS} more`];

/** What fails may take long each time, as where the Engine is silent about one container: others come first. */
const priorityOf = (record: ReconcileState): Priority =>
  record.failures > 0 ? PRIORITY.verify : usualPriority(record);

const usualPriority = (record: ReconcileState): Priority =>
  record.expected?.fingerprint === undefined ? PRIORITY.start : PRIORITY.refresh;

const OUTCOMES = {
  equal: { level: 'debug', message: 'rules are in place' },
  loaded: { level: 'info', message: 'rules loaded' },
  cleared: { level: 'info', message: 'rules removed' },
  left: { level: 'info', message: 'keeping the existing rules until Consul responds' },
} as const;
