/**
 * The outcome of each attempt, printed at the end of the run as the tables of docs/security.md: attempts that
 * rules must stop, and attempts that no rule can stop.
 */

export interface Row {
  readonly attempt: string;
  readonly without: string;
  readonly with: string;
  /** No rule can stop it: `with` tells what limits it instead. */
  readonly isOpen?: boolean;
}

export class Table {
  readonly #rows: Row[] = [];

  add(row: Row): void {
    this.#rows.push(row);
  }

  toString(): string {
    const stopped = this.#rows.filter((row) => row.isOpen !== true);
    const open = this.#rows.filter((row) => row.isOpen === true);
    return [format(stopped), 'What no rule can stop:\n', format(open)].join('\n');
  }
}

function format(body: readonly Row[]): string {
  const rows = [{ attempt: 'attempt', without: 'without rules', with: 'with rules' }, ...body];
  const width = (of: (row: Row) => string) => Math.max(...rows.map((row) => of(row).length));
  const attempt = width((row) => row.attempt);
  const without = width((row) => row.without);
  const line = (row: Row) =>
    `| ${row.attempt.padEnd(attempt)} | ${row.without.padEnd(without)} | ${row.with} |`;
  const [head = '', ...others] = rows.map(line);
  return [head, '| --- | --- | --- |', ...others, ''].join('\n');
}
