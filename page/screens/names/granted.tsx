/**
 * The names that are granted now, with their addresses.
 */

import { useComputed } from '@preact/signals';
import { now } from '../../live/clock.ts';
import { state, table } from '../../live/store.ts';
import { Filters, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty } from '../../ui/texts.tsx';
import { type GrantedRow, grantedRows, grantedText, leftText } from './model.ts';
import { Chosen } from './workloads.tsx';

const GRANTED: readonly Column<GrantedRow>[] = [
  {
    ...{ id: 'name', title: 'Name', isMain: true, look: 'code words' },
    cell: ({ name }) => name,
    sort: ({ name }) => name,
  },
  {
    ...{ id: 'workload', title: 'Workload' },
    cell: ({ target }) => <a href={workloadPath(target)}>{target}</a>,
    sort: ({ target }) => target,
  },
  { id: 'ports', title: 'Ports', look: 'code fit', cell: ({ ports }) => ports, sort: ({ ports }) => ports },
  {
    ...{ id: 'addresses', title: 'Addresses', look: 'wide' },
    cell: ({ addresses }) => (
      <span class="tags">
        {addresses.slice(0, MOST).map((one) => (
          <Tag key={one}>{one}</Tag>
        ))}
        {addresses.length > MOST && <span class="muted">and {addresses.length - MOST} more</span>}
      </span>
    ),
  },
  {
    ...{ id: 'until', title: 'Granted until', look: 'fit' },
    cell: ({ until }) => <Until until={until} />,
    sort: ({ until }) => until,
  },
];

/** The most addresses of a name that are listed. */
const MOST = 8;

const Until = ({ until }: { readonly until: number }) => (
  <time class="age" dateTime={new Date(until).toISOString()} title={new Date(until).toISOString()}>
    {leftText(until, now.value)}
  </time>
);

export function Granted() {
  const chosen = queryOf('workload');
  const all = useComputed(() => {
    table('names');
    table('workloads');
    return grantedRows(state.peek(), queryOf('workload'));
  }).value;
  const rows = matching(all, queryOf('granted'), grantedText);
  return (
    <Panel title="Granted now" count={all.length}>
      {all.length === 0 ? (
        <Empty>
          {chosen === '' ? 'No name' : `No name of ${chosen}`} has an address now: one is granted when the
          workload asks for the name.
        </Empty>
      ) : (
        <>
          <Filters>
            <SearchField name="granted" label="Search granted names" />
            <Chosen />
          </Filters>
          <Table
            {...{ caption: 'Granted names', columns: GRANTED, rows, name: 'by-granted' }}
            idOf={({ id }) => id}
          />
        </>
      )}
    </Panel>
  );
}
