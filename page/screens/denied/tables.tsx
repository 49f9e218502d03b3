/**
 * Denied destinations and names as tables, for all containers or for one.
 */
import { useComputed } from '@preact/signals';
import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import { CAUSES } from '../../../src/format/explain-names.ts';
import { deniedId, deniedNameId } from '../../../src/live/tables.ts';
import { now } from '../../live/clock.ts';
import { workloadPath } from '../../ui/router.ts';
import { Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import type { ShownRow } from './model.ts';
import { NameRemedy, Remedy } from './remedy.tsx';

const container = <R extends { readonly container: string }>(): Column<R> => ({
  ...{ id: 'container', title: 'Container', sort: ({ container: name }) => name },
  cell: ({ container: name }) => <a href={workloadPath(name)}>{name}</a>,
});

const seen = <
  R extends { readonly firstSeenAt: number; readonly lastSeenAt: number },
>(): readonly Column<R>[] => [
  {
    ...{
      id: 'first',
      title: 'First seen',
      isNumber: true,
      look: 'fit',
      sort: ({ firstSeenAt }) => firstSeenAt,
    },
    cell: ({ firstSeenAt }) => <Time at={firstSeenAt} />,
  },
  {
    ...{ id: 'last', title: 'Last seen', isNumber: true, look: 'fit', sort: ({ lastSeenAt }) => lastSeenAt },
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
  },
];

/** Milliseconds for which a destination is new. */
const NEW = 60_000;

function New({ since }: { readonly since: number }) {
  const isNew = useComputed(() => now.value - since < NEW);
  return isNew.value ? <Tag tone="warn">new</Tag> : null;
}

const COLUMNS: readonly Column<ShownRow>[] = [
  {
    ...{ id: 'destination', title: 'Destination', isMain: true },
    sort: ({ address, port }) => `${address} ${port ?? ''}`,
    cell: ({ address, protocol, port, passed, firstSeenAt }) => (
      <span class="destination">
        <span class="code">{address}</span>{' '}
        <span class="code soft">{port === undefined ? protocol : `${protocol}/${port}`}</span>
        {passed && (
          <Tag tone="watch" title="the container is in audit mode, so these packets passed">
            passed
          </Tag>
        )}
        <New key={firstSeenAt} since={firstSeenAt} />
      </span>
    ),
  },
  {
    ...{ id: 'service', title: 'Service', sort: ({ services }) => services.join(' ') },
    cell: ({ services }) => services.join(', ') || <span class="none">–</span>,
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true, look: 'fit', sort: ({ packets }) => packets },
    cell: ({ packets }) => packets.toLocaleString('en-US'),
  },
  ...seen<ShownRow>(),
];

const ALL_COLUMNS: readonly Column<ShownRow>[] = [
  {
    ...container<ShownRow>(),
    cell: ({ container: name, ended }) =>
      ended === undefined ? (
        <a href={workloadPath(name)}>{name}</a>
      ) : (
        <>
          {name} <Tag title="the container does not run any more; it stays here for ten minutes">ended</Tag>
        </>
      ),
  },
  ...COLUMNS,
];

/** The newest destination first: rows stay where they are while their numbers grow. */
export const DeniedTable = ({
  rows,
  hasContainer = true,
}: {
  readonly rows: readonly ShownRow[];
  readonly hasContainer?: boolean;
}) => (
  <Table
    caption="Denied destinations"
    columns={hasContainer ? ALL_COLUMNS : COLUMNS}
    rows={rows}
    idOf={deniedId}
    sorting="-first"
    limit={100}
    below={(row) => (
      <div class="why">
        <Remedy row={row} />
      </div>
    )}
  />
);

const NAME_COLUMNS: readonly Column<DeniedNameRow>[] = [
  {
    ...{ id: 'name', title: 'Name', isMain: true, sort: ({ name }) => name },
    cell: ({ name, firstSeenAt }) => (
      <span class="destination">
        <span class="code">{name}</span>
        <New key={firstSeenAt} since={firstSeenAt} />
      </span>
    ),
  },
  {
    ...{ id: 'asked', title: 'Asked', isNumber: true, look: 'fit', sort: ({ count }) => count },
    cell: ({ count }) => count.toLocaleString('en-US'),
  },
  { id: 'types', title: 'Types', look: 'fit', cell: ({ types }) => types.join(', ') },
  ...seen<DeniedNameRow>(),
];

const ALL_NAME_COLUMNS = [container<DeniedNameRow>(), ...NAME_COLUMNS];

/** Names that were asked in vain. */
export const DeniedNames = ({
  rows,
  hasContainer = true,
}: {
  readonly rows: readonly DeniedNameRow[];
  readonly hasContainer?: boolean;
}) => (
  <Table
    caption="Names asked in vain"
    columns={hasContainer ? ALL_NAME_COLUMNS : NAME_COLUMNS}
    rows={rows}
    idOf={deniedNameId}
    sorting="-first"
    name="names"
    limit={100}
    below={(row) => (
      <div class="why">
        <span class="muted">{row.reason ?? CAUSES[row.cause]}</span>
        <NameRemedy row={row} />
      </div>
    )}
  />
);
