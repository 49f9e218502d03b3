/**
 * The columns of a table: what they show, and how one sorts by them.
 */
import type { ComponentChildren } from 'preact';
import { Icon } from './icon.tsx';
import { setQuery } from './router.ts';
import { type Sorting, type SortValue, sortingText } from './rows.ts';

export interface Column<R> {
  /** In the query, for sorting. */
  readonly id: string;
  readonly title: string;
  readonly cell: (row: R) => ComponentChildren;
  /** Without it, the column cannot be sorted. */
  readonly sort?: (row: R) => SortValue;
  /** Numbers: to the right. */
  readonly isNumber?: boolean;
  /** The row's heading: what it is about. */
  readonly isMain?: boolean;
  /** Further classes: `wide` takes what room there is, `fit` as much as its text; `code` is for texts of machines. */
  readonly look?: string;
}

export const classOf = <R,>({ isNumber, isMain, look = '' }: Column<R>): string =>
  [isNumber ? 'number' : '', isMain ? 'main' : '', look].filter(Boolean).join(' ');

/** The first press sorts numbers from the highest, and texts from A. */
const pressed = <R,>({ id, isNumber }: Column<R>, sorting: Sorting | undefined): string =>
  sortingText({ column: id, isDown: sorting?.column === id ? !sorting.isDown : (isNumber ?? false) });

export function HeadingCell<R>({
  column,
  sorting,
  name,
}: {
  readonly column: Column<R>;
  readonly sorting: Sorting | undefined;
  readonly name: string;
}) {
  const { id, title, sort } = column;
  const isSorted = sorting?.column === id;
  const order = isSorted ? (sorting.isDown ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" class={classOf(column)} {...(order !== undefined && { 'aria-sort': order })}>
      {sort === undefined ? (
        title
      ) : (
        <button type="button" onClick={() => setQuery({ [name]: pressed(column, sorting) })}>
          {title}
          {isSorted && <Icon name={sorting.isDown ? 'down' : 'up'} />}
        </button>
      )}
    </th>
  );
}

/** On a narrow screen the headings are gone. */
export function SortSelect<R>({
  columns,
  name,
  sorting,
}: {
  readonly columns: readonly Column<R>[];
  readonly name: string;
  readonly sorting: Sorting | undefined;
}) {
  const sortable = columns.filter(({ sort }) => sort !== undefined);
  if (sortable.length === 0) return null;
  return (
    <label class="select sorting">
      <span>Sorted by</span>
      <select
        value={sorting === undefined ? '' : sortingText(sorting)}
        onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}
      >
        <option value="">as it is</option>
        {sortable.map((column) => {
          const value = sorting?.column === column.id ? sortingText(sorting) : pressed(column, undefined);
          return (
            <option key={column.id} value={value}>
              {column.title}
            </option>
          );
        })}
      </select>
      <Icon name="down" />
    </label>
  );
}

export function More({
  all,
  shown,
  onMore,
}: {
  readonly all: number;
  readonly shown: number;
  readonly onMore: () => void;
}) {
  if (all <= shown) return null;
  return (
    <p class="more">
      The first {shown.toLocaleString('en-US')} of {all.toLocaleString('en-US')} are shown.
      <button type="button" class="small" onClick={onMore}>
        Show more
      </button>
    </p>
  );
}
