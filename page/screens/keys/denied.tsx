/**
 * What was denied to containers that do not have the key.
 */
import { useMemo } from 'preact/hooks';
import { type DeniedRow, placeOf } from '../../../src/diagnostics/denied-answer.ts';
import { controller, table } from '../../live/store.ts';
import { Panel } from '../../ui/panel.tsx';
import { workloadPath } from '../../ui/router.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { deniedFor } from './model.ts';

export function Denied({ name }: { readonly name: string }) {
  const denied = table('denied');
  const rows = useMemo(() => deniedFor(name, denied), [name, denied]);
  const isDenylist = controller.value?.denylist ?? false;
  return (
    <Panel title={isDenylist ? 'Denied, as it names it' : 'Denied without it'} count={rows.length}>
      {rows.length === 0 ? (
        <Empty>
          {isDenylist
            ? 'Nothing that it names was denied in the last hour.'
            : 'Nothing that it allows was denied in the last hour to containers that do not have it.'}
        </Empty>
      ) : (
        <Table
          caption="Denied to containers that do not have the key"
          columns={DENIED}
          rows={rows}
          idOf={(row) => `${row.container} ${placeOf(row)}`}
          name="denied"
          limit={50}
        />
      )}
    </Panel>
  );
}

const DENIED: readonly Column<DeniedRow>[] = [
  {
    ...{ id: 'destination', title: 'Destination', isMain: true },
    sort: placeOf,
    cell: (row) => <code>{placeOf(row)}</code>,
  },
  {
    ...{ id: 'container', title: 'Container', look: 'wide' },
    sort: ({ container }) => container,
    cell: ({ container }) => <a href={workloadPath(container)}>{container}</a>,
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true, look: 'fit' },
    sort: ({ packets }) => packets,
    cell: ({ packets }) => packets.toLocaleString('en-US'),
  },
  {
    ...{ id: 'last', title: 'Last seen', isNumber: true, look: 'fit' },
    sort: ({ lastSeenAt }) => lastSeenAt,
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
  },
];
