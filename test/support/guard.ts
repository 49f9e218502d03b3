/**
 * Probes workloads during a fault: denied destinations all the time, which must never succeed, and allowed
 * ones, which should keep working.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './probe.ts';
import type { Workload } from './workloads.ts';

export interface Watch {
  readonly workload: Workload;
  readonly denied: readonly Target[];
  readonly allowed?: readonly Target[];
}

export interface GuardReport {
  /** Attempts at denied destinations. */
  readonly attempts: number;
  /** Those that succeeded, as text; there must be none. */
  readonly breaches: readonly string[];
  /** Attempts at allowed destinations that failed twice in a row, as text. */
  readonly losses: readonly string[];
  /** Attempts that succeeded when they were repeated at once: they met the instant of a reload. */
  readonly hiccups: readonly string[];
}

/** Milliseconds until an attempt without an answer counts as failed. */
const TIMEOUT = 1_000;
const INTERVAL = 10;

export class Guard implements AsyncDisposable {
  readonly #stopping = new AbortController();
  readonly #rounds: Promise<void>[] = [];
  readonly #breaches: string[] = [];
  readonly #losses: string[] = [];
  readonly #hiccups: string[] = [];
  #attempts = 0;

  constructor(watches: readonly Watch[]) {
    for (const watch of watches) this.add(watch);
  }

  add(watch: Watch): void {
    this.#rounds.push(this.#watch(watch));
  }

  /** Ends the guard, after at least one whole round of each watch. */
  async stop(): Promise<GuardReport> {
    this.#stopping.abort();
    await Promise.all(this.#rounds);
    return {
      attempts: this.#attempts,
      breaches: this.#breaches,
      losses: this.#losses,
      hiccups: this.#hiccups,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #watch({ workload, denied, allowed = [] }: Watch): Promise<void> {
    const { signal } = this.#stopping;
    try {
      do {
        for (const target of denied) await this.#tryDenied(workload, target);
        for (const target of allowed) await this.#tryAllowed(workload, target);
        await sleep(INTERVAL, undefined, { signal }).catch(() => {});
      } while (!signal.aborted);
    } catch {
      // Its probe ended, as the workload was removed.
    }
  }

  async #tryDenied({ name, probe }: Workload, target: Target): Promise<void> {
    const { outcome } = await probe.reach(target, TIMEOUT);
    this.#attempts += 1;
    if (outcome === 'ok') this.#breaches.push(`${stamp()} ${name} reached ${textOf(target)}`);
  }

  async #tryAllowed({ name, probe }: Workload, target: Target): Promise<void> {
    const { outcome, code } = await probe.reach(target, 4 * TIMEOUT);
    if (outcome === 'ok') return;
    const text = `${stamp()} ${name}: ${textOf(target)} ${outcome} ${code ?? ''}`;
    const again = await probe.reach(target, 4 * TIMEOUT);
    (again.outcome === 'ok' ? this.#hiccups : this.#losses).push(text);
  }
}

const stamp = (): string => new Date().toISOString().slice(11, 23);
const textOf = ({ protocol, address, port }: Target): string => `${protocol} ${address} ${port}`;
