/**
 * Which rows of a table are shown, and in which order. Pure.
 */
export type SortValue = string | number;

export interface Sorting {
  readonly column: string;
  readonly isDown: boolean;
}

/** `-packets`, `name`: as it stands in the query. */
export const parseSorting = (text: string): Sorting | undefined =>
  text === '' ? undefined : { column: text.replace(/^-/, ''), isDown: text.startsWith('-') };

export const sortingText = ({ column, isDown }: Sorting): string => `${isDown ? '-' : ''}${column}`;

/** Equal rows keep their order. */
export function sorted<R>(
  rows: readonly R[],
  sortOf: ((row: R) => SortValue) | undefined,
  isDown: boolean,
): readonly R[] {
  if (sortOf === undefined) return rows;
  const values = new Map(rows.map((row) => [row, sortOf(row)]));
  const sign = isDown ? -1 : 1;
  return rows.toSorted((one, other) => sign * compare(values.get(one) ?? '', values.get(other) ?? ''));
}

const compare = (one: SortValue, other: SortValue): number =>
  typeof one === 'string' && typeof other === 'string'
    ? ORDER.compare(one, other)
    : Number(one) - Number(other);

/** `web2` before `web10`. */
const ORDER = new Intl.Collator('en', { numeric: true });

/** Rows whose text has all words of the search. */
export function matching<R>(rows: readonly R[], search: string, textOf: (row: R) => string): readonly R[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return rows;
  return rows.filter((row) => {
    const text = textOf(row).toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
