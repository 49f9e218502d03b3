/**
 * Aligned columns, as `docker ps` prints them.
 */
import type { Colour, Style } from '../../format/style.ts';

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly colour?: (row: Row) => Colour | undefined;
  readonly right?: boolean;
}

/** One line per row below the titles, no space at the ends of lines; nothing for no rows. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], style: Style): string {
  if (rows.length === 0) return '';
  const filled = columns.map((column) => {
    const cells = rows.map((row) => column.text(row));
    return { ...column, cells, width: Math.max(column.title.length, ...cells.map((cell) => cell.length)) };
  });
  const pad = (text: string, { right, width }: { right?: boolean; width: number }) =>
    right ? text.padStart(width) : text.padEnd(width);
  const title = filled.map((column) => pad(column.title, column)).join('  ');
  const lines = rows.map((row, index) =>
    filled
      .map((column, place) => {
        const isLast = place === filled.length - 1 && !column.right;
        const text = column.cells[index] ?? '';
        const colour = column.colour?.(row);
        const padding = isLast ? '' : ' '.repeat(column.width - text.length);
        const painted = colour === undefined || text === '' ? text : style(colour, text);
        return column.right ? padding + painted : painted + padding;
      })
      .join('  ')
      .trimEnd(),
  );
  return [style('bold', title.trimEnd()), ...lines].join('\n');
}
