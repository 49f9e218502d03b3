/**
 * Logs denied destinations: one line for each, with a limit for each container, because a scan must not flood the log.
 */
import type { Direction } from '../common/direction.ts';
import type { Logger } from '../common/logger.ts';
import type { Container } from '../inventory/container.ts';
import type { Denied } from '../inventory/denied-record.ts';
import { fairOrder } from '../inventory/fair-order.ts';
import type { ContainerNamespace } from '../inventory/namespace.ts';
import type { Mode } from '../inventory/workload.ts';
import type { TrackedFlow } from './denied-flow-tracker.ts';
import { WINDOW } from './denied-flows.ts';
import { LineBudget } from './line-budget.ts';

/** A namespace that has rules which record what they deny. */
export interface DeniedNamespace extends ContainerNamespace {
  /** The containers that asked for the rules. */
  readonly members: readonly { readonly container: Container }[];
  readonly mode: Mode;
  /** The keys of its egress rules. */
  readonly grants?: readonly string[];
}

/** The most lines of one container at once, and in each window. */
const MOST_LINES = 20;

/** The words of each direction: egress rules deny destinations, ingress rules deny calls. */
const WORDS = {
  egress: {
    denied: 'destination denied',
    audited: 'destination would be denied',
    more: 'more destinations denied',
    full: 'record of denied destinations is full',
  },
  ingress: {
    denied: 'call denied',
    audited: 'call would be denied',
    more: 'more calls denied',
    full: 'record of denied calls is full',
  },
} as const;

export class DeniedLines {
  readonly #log: Logger;
  readonly #direction: Direction;
  readonly #now: () => number;
  /** By the container's name. */
  readonly #budgets = new Map<string, LineBudget>();

  constructor(log: Logger, now: () => number, direction: Direction = 'egress') {
    this.#log = log;
    this.#direction = direction;
    this.#now = now;
  }

  write({ target, mode }: DeniedNamespace, { newFlows, summary, isNewlyFull }: TrackedFlow): void {
    const container = target.name;
    const budget = this.#budgets.get(container) ?? new LineBudget(MOST_LINES, WINDOW);
    this.#budgets.set(container, budget);
    const { lines, more } = budget.take(newFlows.length, this.#now());
    const words = WORDS[this.#direction];
    const message = mode === 'audit' ? words.audited : words.denied;
    for (const flow of fairOrder(newFlows).slice(0, lines))
      this.#log.warn({ container, ...fieldsOf(flow, this.#direction) }, message);
    if (more > 0) this.#log.warn({ container, more }, words.more);
    const { packets, unlisted } = summary;
    if (isNewlyFull) this.#log.warn({ container, packets, unlisted }, words.full);
  }

  forget(containers: readonly string[]): void {
    for (const name of containers) this.#budgets.delete(name);
  }
}

/** An entry of an address alone has no protocol. */
const fieldsOf = ({ address, protocol, port, packets }: Denied, direction: Direction): object => ({
  ...(direction === 'egress' ? { address } : { source: address }),
  ...(protocol === '' ? { packets } : { protocol, port, packets }),
});
