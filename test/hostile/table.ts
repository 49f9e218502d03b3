/**
 * The outcome of each attempt, as the table of docs/security.md. It is printed at the end of the run.
 */
export interface Row {
  readonly attempt: string;
  readonly control: string;
  readonly without: string;
  readonly with: string;
}

export const HEAD: Row = {
  attempt: 'attempt',
  control: 'without a controller',
  without: 'without the gate',
  with: 'with the gate',
};

export function table(body: readonly Row[]): string {
  const rows = [HEAD, ...body];
  const columns = ['attempt', 'control', 'without', 'with'] as const;
  const widths = columns.map((column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const padded = (row: Row) => line(columns.map((column, index) => row[column].padEnd(widths[index] ?? 0)));
  const [head = '', ...others] = rows.map(padded);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...others, ''].join('\n');
}
