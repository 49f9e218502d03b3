/**
 * What became of each attempt, printed at the end of the run as the table of docs/security.md.
 */

export interface Row {
  readonly attempt: string;
  readonly without: string;
  readonly with: string;
}

export class Table {
  readonly #rows: Row[] = [];

  add(row: Row): void {
    this.#rows.push(row);
  }

  toString(): string {
    const rows = [{ attempt: 'attempt', without: 'without rules', with: 'with rules' }, ...this.#rows];
    const width = (of: (row: Row) => string) => Math.max(...rows.map((row) => of(row).length));
    const attempt = width((row) => row.attempt);
    const without = width((row) => row.without);
    const line = (row: Row) =>
      `| ${row.attempt.padEnd(attempt)} | ${row.without.padEnd(without)} | ${row.with} |`;
    const [head = '', ...body] = rows.map(line);
    return [head, '| --- | --- | --- |', ...body, ''].join('\n');
  }
}
