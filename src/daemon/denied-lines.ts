/**
 * Logs denied destinations: one line for each, with a limit for each container, because a scan must not flood the log.
 */
import type { Logger } from '../common/logger.ts';
import type { WorkloadNamespace } from '../features/egress/workload-namespaces.ts';
import type { Denied } from '../inventory/denied-record.ts';
import { fairOrder } from '../inventory/fair-order.ts';
import type { TrackedFlow } from './denied-flow-tracker.ts';
import { WINDOW } from './denied-flows.ts';
import { LineBudget } from './line-budget.ts';

/** The most lines of one container at once, and in each window. */
const MOST_LINES = 20;

export class DeniedLines {
  readonly #log: Logger;
  readonly #now: () => number;
  /** By the container's name. */
  readonly #budgets = new Map<string, LineBudget>();

  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  write({ target, mode }: WorkloadNamespace, { newFlows, summary, isNewlyFull }: TrackedFlow): void {
    const container = target.name;
    const budget = this.#budgets.get(container) ?? new LineBudget(MOST_LINES, WINDOW);
    this.#budgets.set(container, budget);
    const { lines, more } = budget.take(newFlows.length, this.#now());
    const message = mode === 'audit' ? 'destination would be denied' : 'destination denied';
    for (const destination of fairOrder(newFlows).slice(0, lines))
      this.#log.warn({ container, ...fieldsOf(destination) }, message);
    if (more > 0) this.#log.warn({ container, more }, 'more destinations denied');
    const { packets, unlisted } = summary;
    if (isNewlyFull)
      this.#log.warn({ container, packets, unlisted }, 'record of denied destinations is full');
  }

  forget(containers: readonly string[]): void {
    for (const name of containers) this.#budgets.delete(name);
  }
}

/** An entry of an address alone has no protocol. */
const fieldsOf = ({ address, protocol, port, packets }: Denied): object =>
  protocol === '' ? { address, packets } : { address, protocol, port, packets };
