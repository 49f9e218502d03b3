/**
 * A table: sorted by its headings, in groups, with as many rows as one can look at. On a narrow screen each row is a list.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Fragment } from 'preact';
import { useMemo } from 'preact/hooks';
import { queryOf } from './router.ts';
import { parseSorting, type Sorting, sorted } from './rows.ts';
import { type Column, classOf, HeadingCell, More, SortSelect } from './table-column.tsx';

export type { Column } from './table-column.tsx';

export interface Group<R> {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly rows: readonly R[];
}

interface Options<R> {
  /** For readers. */
  readonly caption: string;
  readonly columns: readonly Column<R>[];
  readonly idOf: (row: R) => string;
  /** As in the query, `-packets`; without it the rows stay as they are. */
  readonly sorting?: string;
  /** The word of the query that keeps the sorting: for a second table on a screen. */
  readonly name?: string;
  /** How many rows are shown at first. */
  readonly limit?: number;
  /** A further row below one, over all columns. */
  readonly below?: (row: R) => ComponentChildren;
}

export const Table = <R,>({ rows, ...options }: Options<R> & { readonly rows: readonly R[] }) => (
  <GroupedTable {...options} groups={[{ id: '', title: undefined, rows }]} />
);

/** Rows are sorted inside of their groups. */
export function GroupedTable<R>({
  groups,
  ...options
}: Options<R> & { readonly groups: readonly Group<R>[] }) {
  const { caption, columns, idOf, sorting: standard = '', name = 'sort', limit = 200, below } = options;
  const most = useSignal(limit);
  const sorting = parseSorting(queryOf(name) || standard);
  const shown = useMemo(
    () => sortedGroups(groups, columns, sorting),
    [groups, columns, queryOf(name), standard],
  );
  const all = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  const visible = limited(shown, most.value);
  return (
    <>
      <SortSelect {...{ columns, name, sorting }} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard. */}
      <section class="table" tabIndex={0} aria-label={caption}>
        <table>
          <caption class="unseen">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <HeadingCell key={column.id} {...{ column, sorting, name }} />
              ))}
            </tr>
          </thead>
          {visible.map(({ id, title, rows }) => (
            <tbody key={id}>
              {title !== undefined && (
                <tr class="group">
                  <th colSpan={columns.length} scope="rowgroup">
                    {title}
                  </th>
                </tr>
              )}
              {rows.map((row) => (
                <Fragment key={idOf(row)}>
                  <tr>{columns.map((column) => cellOf(column, row))}</tr>
                  <Below {...{ row, below, columns }} />
                </Fragment>
              ))}
            </tbody>
          ))}
        </table>
      </section>
      <More
        {...{ all, shown: Math.min(all, most.value) }}
        onMore={() => {
          most.value += limit * 2;
        }}
      />
    </>
  );
}

function sortedGroups<R>(
  groups: readonly Group<R>[],
  columns: readonly Column<R>[],
  sorting: Sorting | undefined,
): readonly Group<R>[] {
  const sortOf = columns.find(({ id }) => id === sorting?.column)?.sort;
  return groups.map((group) => ({ ...group, rows: sorted(group.rows, sortOf, sorting?.isDown ?? false) }));
}

function limited<R>(groups: readonly Group<R>[], most: number): readonly Group<R>[] {
  let left = most;
  return groups.flatMap((group) => {
    const rows = group.rows.slice(0, Math.max(0, left));
    left -= rows.length;
    return rows.length === 0 ? [] : [{ ...group, rows }];
  });
}

function cellOf<R>(column: Column<R>, row: R) {
  const { id, title, cell, isMain } = column;
  const given = { key: id, class: classOf(column), 'data-title': title };
  return isMain ? (
    <th scope="row" {...given}>
      {cell(row)}
    </th>
  ) : (
    <td {...given}>{cell(row)}</td>
  );
}

function Below<R>({
  row,
  below,
  columns,
}: {
  readonly row: R;
  readonly below: ((row: R) => ComponentChildren) | undefined;
  readonly columns: readonly Column<R>[];
}) {
  const content = below?.(row);
  if (content === undefined || content === null || content === false) return null;
  return (
    <tr class="below">
      <td colSpan={columns.length}>{content}</td>
    </tr>
  );
}
