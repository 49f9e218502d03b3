/**
 * Logs the names that a container asked for in vain: one line for each, with a limit for each container, because it
 * chooses the names. Not those that no resolver answered: while none does, each name of each container is one of them,
 * and that none does is logged once.
 */
import type { Logger } from '../common/logger.ts';
import { NO_ANSWER } from '../features/names/exchange.ts';
import type { NamesReport } from '../features/names/name-report.ts';
import type { Mode } from '../inventory/workload.ts';
import { LineBudget } from './line-budget.ts';

/** The most lines of one container at once, and in each window. */
const MOST_LINES = 20;
/** Milliseconds. */
const WINDOW = 10 * 60_000;

export class NameDenyLog {
  readonly #log: Logger;
  readonly #container: string;
  readonly #budget = new LineBudget(MOST_LINES, WINDOW);
  /** Those of the last look. */
  #known: ReadonlySet<string> = new Set();

  constructor(log: Logger, container: string) {
    this.#log = log;
    this.#container = container;
  }

  /** A name that is asked again within the hour is not new. */
  write(report: Pick<NamesReport, 'denied'>, mode: Mode, now: number): void {
    const denied = report.denied.filter(({ reason }) => reason !== NO_ANSWER);
    const added = denied.filter((one) => !this.#known.has(idOf(one)));
    this.#known = new Set(denied.map(idOf));
    const { lines, more } = this.#budget.take(added.length, now);
    const message = mode === 'audit' ? 'name would be denied' : 'name denied';
    for (const { name, cause, reason, types } of added.slice(0, lines))
      this.#log.warn(
        { container: this.#container, name, types, cause, ...(reason && { reason }) },
        cause === 'failed' ? 'name not resolved' : message,
      );
    if (more > 0) this.#log.warn({ container: this.#container, more }, 'more names denied');
  }
}

const idOf = ({ name, cause }: NamesReport['denied'][number]): string => `${cause} ${name}`;
