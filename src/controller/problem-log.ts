/**
 * Logs each problem once when it appears and once when it is gone, however often the world is read.
 */
import type { Problem } from '../domain/problem.ts';
import type { Logger } from './ports.ts';

/** A problem and the container it was seen at; undefined for a source that has failed. */
export interface Sighting {
  readonly container: string | undefined;
  readonly problem: Problem;
}

export class ProblemLog {
  readonly #log: Logger;
  #known = new Map<string, Sighting>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Tells what is new in `sightings` and what is no longer in there. */
  update(sightings: Iterable<Sighting>): void {
    const current = new Map([...sightings].map((sighting) => [idOf(sighting), sighting]));
    for (const [id, sighting] of current) if (!this.#known.has(id)) this.#report(sighting);
    for (const [id, sighting] of this.#known) {
      if (!current.has(id)) this.#log.info(fieldsOf(sighting), 'problem is gone');
    }
    this.#known = current;
  }

  #report(sighting: Sighting): void {
    const level = sighting.problem.severity === 'error' ? 'error' : 'warn';
    this.#log[level](fieldsOf(sighting), 'problem found');
  }
}

/** A bad line is one problem, however many containers hold its key. */
const idOf = ({ container, problem }: Sighting): string =>
  JSON.stringify([problem.line === undefined ? (container ?? '') : '', problem]);

const fieldsOf = ({ container, problem }: Sighting): object => {
  const { severity: _, ...fields } = problem;
  return problem.line === undefined && container !== undefined ? { container, ...fields } : fields;
};
