/**
 * Logs each problem once when it appears and once when it is solved.
 *
 * A container that crashes and restarts in a loop must not fill the log. So its problem counts as solved only after
 * some time.
 */

import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';

/** A problem and the container it was seen at; undefined for a source that has failed. */
export interface LoggedProblem {
  readonly container: string | undefined;
  readonly problem: Problem;
}

/** Milliseconds: longer than the Engine waits between two starts of a container that crashes. */
const GONE_AFTER = 120_000;

interface Known {
  readonly condition: LoggedProblem;
  /** In ms since the epoch. */
  readonly lastSeenAt: number;
}

export class ProblemLog {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();

  constructor(log: Logger, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  /** Logs new conditions, and those that have disappeared. */
  update(conditions: Iterable<LoggedProblem>): void {
    const lastSeenAt = this.#now();
    const current = new Map([...conditions].map((condition) => [idOf(condition), condition]));
    for (const [id, condition] of current) {
      if (!this.#known.has(id)) this.#report(condition);
      this.#known.set(id, { condition, lastSeenAt });
    }
    for (const [id, known] of this.#known) {
      if (current.has(id) || !isGone(known, lastSeenAt)) continue;
      this.#known.delete(id);
      this.#log.info(fieldsOf(known.condition), 'problem solved');
    }
  }

  #report(condition: LoggedProblem): void {
    const level = condition.problem.severity === 'error' ? 'error' : 'warn';
    this.#log[level](fieldsOf(condition), 'problem found');
  }
}

const isGone = ({ condition, lastSeenAt }: Known, now: number): boolean =>
  condition.container === undefined || now - lastSeenAt >= GONE_AFTER;

/** A bad line is one problem, however many containers hold its key. */
const idOf = ({ container, problem }: LoggedProblem): string =>
  JSON.stringify([problem.line === undefined ? (container ?? '') : '', problem]);

const fieldsOf = ({ container, problem }: LoggedProblem): object => {
  const { severity: _, ...fields } = problem;
  return problem.line === undefined && container !== undefined ? { container, ...fields } : fields;
};
