/**
 * Reconciles the names of one feature: keeps a state for each, requests a job if one differs, and retries failures.
 */
import { type Backoff, delay } from '../common/backoff.ts';
import { PRIORITY, type Priority } from '../common/job-queue.ts';
import type { Plan, Planned } from '../common/plan.ts';
import type { Driver } from './driver.ts';
import { type Outcome, reconcile } from './reconcile.ts';
import { conditionOf, type ReconcileState } from './state.ts';

/** Called at the end of each job, for logs and metrics. */
export interface Reports<Desired, Observed> {
  ended?(state: ReconcileState<Desired, Observed>, outcome: Outcome, ms: number): void;
  /** Once for the same failure in a row. */
  failed?(state: ReconcileState<Desired, Observed>, error: Error): void;
}

export interface FeatureReconcilerOptions {
  readonly retry: Backoff;
  readonly random: () => number;
  readonly now: () => number;
  /** Requests one job. */
  readonly request: (name: string, priority: Priority) => void;
  /** The same, with low priority, for an inspection: no other feature waits for it. */
  readonly inspect: (name: string) => void;
  /** Called when a name is added or removed. */
  readonly added: (name: string) => void;
  readonly forgotten: (name: string) => void;
  /** Aborted when no more jobs may begin. */
  readonly signal: AbortSignal;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
type State<Desired, Observed> = Mutable<ReconcileState<Desired, Observed>> & {
  /** The plan delays its job. */
  mayWait: boolean;
  /** True if it must be inspected although `observed` is known. */
  needsVerify: boolean;
  /** A retry, or the end of a wait. */
  timer: NodeJS.Timeout | undefined;
};

export class FeatureReconciler<Desired, Observed> {
  readonly #driver: Driver<Desired, Observed>;
  readonly #reports: Reports<Desired, Observed>;
  readonly #options: FeatureReconcilerOptions;
  readonly #states = new Map<string, State<Desired, Observed>>();

  constructor(
    driver: Driver<Desired, Observed>,
    reports: Reports<Desired, Observed>,
    options: FeatureReconcilerOptions,
  ) {
    this.#driver = driver;
    this.#reports = reports;
    this.#options = options;
  }

  states(): Iterable<ReconcileState<Desired, Observed>> {
    return this.#states.values();
  }

  state(name: string): ReconcileState<Desired, Observed> | undefined {
    return this.#states.get(name);
  }

  /** `exists`: whether the target of a name that is not in the plan still exists. */
  sync(plan: Plan<Desired>, exists: (name: string) => boolean): void {
    for (const [name, planned] of plan) this.#setDesired(name, planned);
    for (const { name, desired } of [...this.#states.values()]) {
      if (plan.has(name)) continue;
      if (exists(name)) this.#setDesired(name, { kind: 'release', desired });
      else this.#forget(name);
    }
  }

  /** Requests a job for one name, unless one is queued. */
  refresh(name: string): void {
    const state = this.#states.get(name);
    if (state !== undefined && state.timer === undefined) this.#request(state);
  }

  /** Runs a job for every name. */
  refreshAll(): void {
    for (const name of this.#states.keys()) this.#options.request(name, PRIORITY.refresh);
  }

  /** Inspects it with low priority, and repairs differences. */
  verify(name: string): void {
    const state = this.#states.get(name);
    if (state === undefined) return;
    state.needsVerify = true;
    this.#options.inspect(name);
  }

  /** The job: it reads the state when it starts, so it works for the newest plan. Never fails. */
  async run(name: string): Promise<void> {
    const state = this.#states.get(name);
    if (state === undefined || this.#options.signal.aborted) return;
    const started = this.#options.now();
    // A timer that is set from here on is for the next job.
    this.#stopWaiting(state);
    try {
      const outcome = await this.#reconcile(state);
      this.#succeeded(state, outcome, this.#options.now() - started);
    } catch (error) {
      this.#failed(state, error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): void {
    for (const state of this.#states.values()) this.#stopWaiting(state);
  }

  async #reconcile(state: State<Desired, Observed>): Promise<Outcome> {
    const { signal } = this.#options;
    const known = state.needsVerify ? undefined : state.observed;
    state.needsVerify = false;
    const { outcome, observed } = await reconcile(this.#driver, { ...state, signal }, known);
    state.observed = observed;
    state.last = observed;
    return outcome;
  }

  #setDesired(name: string, planned: Planned<Desired>): void {
    const { kind, desired } = planned;
    const wait = kind === 'apply' ? planned.wait : undefined;
    const known = this.#states.get(name);
    const isSame =
      known !== undefined &&
      known.isReleased === (kind === 'release') &&
      known.mayWait === (wait !== undefined) &&
      (known.isReleased || this.#driver.isSame(known.desired, desired));
    const state = known ?? this.#begin(name, desired);
    state.desired = desired;
    state.isReleased = kind === 'release';
    state.mayWait = wait !== undefined;
    if (!isSame) this.#request(state, wait);
  }

  #begin(name: string, desired: Desired): State<Desired, Observed> {
    const state: State<Desired, Observed> = {
      ...{ name, desired, isReleased: false, mayWait: false, observed: undefined },
      ...{ last: this.#driver.recorded?.(name, desired), needsVerify: false, verifiedAt: undefined },
      ...{ failures: 0, lastError: undefined, isWaiting: false, timer: undefined },
      get condition() {
        return conditionOf(state);
      },
    };
    this.#states.set(name, state);
    this.#options.added(name);
    return state;
  }

  #forget(name: string): void {
    clearTimeout(this.#states.get(name)?.timer);
    this.#states.delete(name);
    this.#options.forgotten(name);
  }

  #request(state: State<Desired, Observed>, wait?: number): void {
    if (wait === undefined) {
      this.#options.request(state.name, this.#priorityOf(state));
      return;
    }
    state.isWaiting = state.failures === 0;
    state.timer ??= this.#later(state, wait);
  }

  #later(state: State<Desired, Observed>, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      state.timer = undefined;
      this.#options.request(state.name, this.#priorityOf(state));
    }, milliseconds);
  }

  #stopWaiting(state: State<Desired, Observed>): void {
    clearTimeout(state.timer);
    state.timer = undefined;
    state.retryAt = undefined;
    state.isWaiting = false;
  }

  /** Failed names come last, because they may take long. Names without rules come before names that only change. */
  #priorityOf({ failures, last }: State<Desired, Observed>): Priority {
    if (failures > 0) return PRIORITY.verify;
    return last === undefined || this.#driver.isAbsent(last) ? PRIORITY.start : PRIORITY.refresh;
  }

  #succeeded(state: State<Desired, Observed>, outcome: Outcome, ms: number): void {
    state.verifiedAt = this.#options.now();
    state.failures = 0;
    state.lastError = undefined;
    this.#reports.ended?.(state, outcome, ms);
  }

  #failed(state: State<Desired, Observed>, error: Error): void {
    const { retry, random, now, signal } = this.#options;
    if (signal.aborted || this.#states.get(state.name) !== state) return;
    state.failures += 1;
    state.observed = undefined;
    // The next sync will find the same. Otherwise the target still exists.
    const isGone = state.failures < GONE_MEANWHILE && this.#driver.isGone?.(error) === true;
    const isKnown = state.lastError?.message === error.message;
    state.lastError = isGone ? undefined : error;
    this.#stopWaiting(state);
    const wait = delay(state.failures, retry, random);
    state.timer = this.#later(state, wait);
    state.retryAt = now() + wait;
    if (!isGone && !isKnown) this.#reports.failed?.(state, error);
  }
}

/**
 * After so many failures in a row because a target "is gone", the failure is reported like others. A busy Engine may take
 * seconds to say that fifty containers ended.
 */
const GONE_MEANWHILE = 5;
