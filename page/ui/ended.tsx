/**
 * Denials that a text of a key would end.
 */
import { many } from '../../src/format/values.ts';
import type { EndedDenial } from '../rules/ended.ts';
import { workloadPath } from './router.ts';
import { type Column, Table } from './table.tsx';
import { Time } from './time.tsx';

export const Ended = ({
  ended,
  caption,
}: {
  readonly ended: readonly EndedDenial[];
  readonly caption: string;
}) => (
  <Table
    caption={caption}
    columns={COLUMNS}
    rows={ended}
    idOf={({ container, what }) => `${container} ${what}`}
    name="ended"
    limit={20}
  />
);

const COLUMNS: readonly Column<EndedDenial>[] = [
  {
    ...{ id: 'what', title: 'Destination', isMain: true },
    sort: ({ what }) => what,
    cell: ({ what }) => <code>{what}</code>,
  },
  {
    ...{ id: 'container', title: 'Container' },
    sort: ({ container }) => container,
    cell: ({ container }) => <a href={workloadPath(container)}>{container}</a>,
  },
  {
    ...{ id: 'lines', title: 'By line', look: 'fit' },
    cell: ({ lines }) => lines.join(', '),
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true, look: 'fit' },
    sort: ({ packets }) => packets,
    cell: ({ packets }) => <span title={many(packets, 'packet')}>{packets.toLocaleString('en-US')}</span>,
  },
  {
    ...{ id: 'last', title: 'Last', isNumber: true, look: 'fit' },
    sort: ({ lastSeenAt }) => lastSeenAt,
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
  },
];
