/**
 * The workloads whose names are answered, and the choice of one.
 */
import { Button, Panel } from '../../ui/panel.tsx';
import { queryOf, setQuery, workloadPath } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Note } from '../../ui/texts.tsx';
import type { NamesRow } from './model.ts';

const WORKLOADS: readonly Column<NamesRow>[] = [
  {
    ...{ id: 'workload', title: 'Workload', isMain: true },
    cell: ({ target }) => <a href={workloadPath(target)}>{target}</a>,
    sort: ({ target }) => target,
  },
  {
    ...{ id: 'state', title: 'State', look: 'fit' },
    cell: (row) => <State state={row.state} title={row.reasons.join('; ')} />,
    sort: (row) => row.state,
  },
  ...numbers([
    ['names', 'Names', ({ names }) => names],
    ['addresses', 'Addresses', ({ addresses }) => addresses],
    ['asked', 'Asked', ({ asked }) => asked],
    ['answered', 'Answered', ({ answered }) => answered],
    ['denied', 'In vain', ({ denied }) => denied],
    ['dropped', 'Dropped', ({ dropped }) => dropped],
  ]),
  { id: 'only', title: 'Show', cell: ({ target }) => <Only target={target} /> },
];

function numbers(
  of: readonly (readonly [id: string, title: string, value: (row: NamesRow) => number])[],
): readonly Column<NamesRow>[] {
  return of.map(([id, title, value]) => ({
    ...{ id, title, isNumber: true, sort: value },
    cell: (row) => value(row).toLocaleString('en-US'),
  }));
}

function Only({ target }: { readonly target: string }) {
  const isChosen = queryOf('workload') === target;
  return (
    <Button isPressed={isChosen} onPress={() => setQuery({ workload: isChosen ? '' : target })}>
      only these
    </Button>
  );
}

export const Workloads = ({ rows }: { readonly rows: readonly NamesRow[] }) => (
  <Panel title="Workloads whose names are answered" count={rows.length}>
    <Table
      {...{ caption: 'Workloads whose names are answered', columns: WORKLOADS, rows, limit: 50 }}
      idOf={({ id }) => id}
      below={({ reasons }) =>
        reasons.length === 0 ? undefined : <Note tone="warn">{reasons.join('; ')}</Note>
      }
    />
  </Panel>
);

/** The choice, where a table shows the names of one workload. */
export const Chosen = () =>
  queryOf('workload') === '' ? null : (
    <Button icon="cross" onPress={() => setQuery({ workload: '' })}>
      only {queryOf('workload')}
    </Button>
  );
