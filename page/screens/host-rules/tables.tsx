/**
 * Tables of the host's rules.
 */
import type { ComponentChildren } from 'preact';
import type {
  ByHandAnswer,
  ClosedPort,
  ForwardAnswer,
  HostAnswer,
  OpeningAnswer,
  PermitAnswer,
} from '../../../src/diagnostics/host-view.ts';
import { Command } from '../../ui/copy.tsx';
import { Filters, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { callersText, openCommand, ownCommand, portText, socketText } from './model.ts';

/** A container by its name; none runs at this address without one. */
export const Container = ({ name }: { readonly name: string | undefined }): ComponentChildren =>
  name === undefined ? <span class="muted">no container</span> : <a href={workloadPath(name)}>{name}</a>;

const OPEN: readonly Column<OpeningAnswer>[] = [
  {
    ...{ id: 'container', title: 'Container', isMain: true },
    cell: ({ container }) => <Container name={container} />,
    sort: ({ container = '' }) => container,
  },
  { id: 'port', title: 'Port', look: 'code fit', cell: portText, sort: ({ port }) => port },
  {
    id: 'address',
    title: 'Address',
    look: 'code',
    cell: ({ address }) => address,
    sort: ({ address }) => address,
  },
  {
    ...{ id: 'from', title: 'Open for', look: 'code' },
    cell: ({ from }) => callersText(from),
    sort: ({ from }) => callersText(from),
  },
  { id: 'origin', title: 'Because of', look: 'wide soft', cell: ({ origin }) => origin },
];

export function Openings({ host: { openings, state } }: { readonly host: HostAnswer }) {
  const rows = matching(openings, queryOf('open'), (one) =>
    [one.container ?? '', portText(one), one.address, callersText(one.from), one.origin].join(' '),
  );
  const none = state === 'pending' ? 'The open ports are not known yet.' : 'No container port is open.';
  return (
    <Panel title="Open ports" count={openings.length}>
      {openings.length > 8 && (
        <Filters>
          <SearchField name="open" label="Search open ports" />
        </Filters>
      )}
      {openings.length === 0 ? (
        <Empty>{none}</Empty>
      ) : (
        <Table
          {...{ caption: 'Open ports', columns: OPEN, rows, name: 'by' }}
          idOf={({ address, protocol, port, from, origin }) =>
            [address, protocol, port, callersText(from), origin].join(' ')
          }
        />
      )}
    </Panel>
  );
}

const CLOSED: readonly Column<ClosedPort>[] = [
  {
    ...{ id: 'container', title: 'Container', isMain: true },
    cell: ({ container }) => <Container name={container} />,
  },
  {
    ...{ id: 'port', title: 'Port', look: 'code fit' },
    cell: ({ protocol, containerPort }) => portText({ protocol, port: containerPort }),
  },
  {
    ...{ id: 'at', title: 'Published at', look: 'code' },
    cell: ({ at, port }) => socketText(at, port),
  },
  {
    ...{ id: 'do', title: 'To open it for anyone', look: 'wide' },
    cell: (one) => <Command text={openCommand(one)} label={`the command that opens ${one.container}`} />,
  },
];

/** `mode`: of the guard. */
export const Closed = ({
  closed,
  mode,
}: {
  readonly closed: readonly ClosedPort[];
  readonly mode: 'observe' | 'enforce' | undefined;
}) => (
  <Panel
    title={mode === 'observe' ? 'Published, and closed by --ports enforce' : 'Published, but closed'}
    count={closed.length}
  >
    <Table
      {...{ caption: 'Published ports that are closed', columns: CLOSED, rows: closed, name: 'by-closed' }}
      idOf={({ at, protocol, port, container }) => [at, protocol, port, container].join(' ')}
    />
  </Panel>
);

const BY_HAND: readonly Column<ByHandAnswer>[] = [
  {
    ...{ id: 'container', title: 'Container', isMain: true },
    cell: ({ container }) => <Container name={container} />,
  },
  { id: 'port', title: 'Port', look: 'code fit', cell: portText },
  {
    ...{ id: 'what', title: 'What' },
    cell: ({ kind, from }) => (kind === 'close' ? 'closed' : `opened for ${callersText(from)}`),
  },
  { id: 'since', title: 'Since', look: 'fit', cell: ({ since }) => <Time at={since} /> },
  {
    ...{ id: 'do', title: 'To have it as registered again', look: 'wide' },
    cell: (one) => <Command text={ownCommand(one)} label={`the command that ends it for ${one.container}`} />,
  },
];

export const ByHand = ({ rows }: { readonly rows: readonly ByHandAnswer[] }) => (
  <Panel title="By hand" count={rows.length}>
    <p class="soft">An operator opened or closed these ports. It lasts until the container stops.</p>
    <Table
      {...{ caption: 'Ports that were opened or closed by hand', columns: BY_HAND, rows, name: 'by-hand' }}
      idOf={(one) => `${one.container} ${portText(one)}`}
    />
  </Panel>
);

const FORWARDS: readonly Column<ForwardAnswer>[] = [
  { id: 'at', title: 'At', look: 'code', cell: ({ at }) => at, sort: ({ at }) => at },
  { id: 'port', title: 'Port', look: 'code fit', cell: portText, sort: ({ port }) => port },
  {
    ...{ id: 'to', title: 'Leads to', look: 'code' },
    cell: ({ to, toPort }) => socketText(to, toPort),
    sort: ({ to }) => to,
  },
  {
    ...{ id: 'container', title: 'Container', isMain: true },
    cell: ({ container }) => <Container name={container} />,
    sort: ({ container = '' }) => container,
  },
  { id: 'origin', title: 'Because of', look: 'wide soft', cell: ({ origin }) => origin },
];

export const Forwards = ({ host: { forwards, state } }: { readonly host: HostAnswer }) => (
  <Panel title="Forwards" count={forwards.length}>
    {forwards.length === 0 ? (
      <Empty>
        {state === 'pending'
          ? 'The forwards are not known yet.'
          : 'No port of this host leads to a container by rules of egresstrator (--forwards).'}
      </Empty>
    ) : (
      <Table
        {...{ caption: 'Forwards', columns: FORWARDS, rows: forwards, name: 'by-forward' }}
        idOf={({ at, protocol, port, to, toPort }) => [at, protocol, port, to, toPort].join(' ')}
      />
    )}
  </Panel>
);

const PERMITS: readonly Column<PermitAnswer>[] = [
  {
    id: 'from',
    title: 'From',
    look: 'code',
    isMain: true,
    cell: ({ from }) => from,
    sort: ({ from }) => from,
  },
  { id: 'to', title: 'To', look: 'code', cell: ({ to }) => to, sort: ({ to }) => to },
  { id: 'ports', title: 'Ports', look: 'code fit', cell: ({ protocol, ports }) => `${protocol}/${ports}` },
  { id: 'origin', title: 'Because of', look: 'wide soft', cell: ({ origin }) => origin },
];

/** Who may reach whom between networks. */
export const Permits = ({ permits }: { readonly permits: readonly PermitAnswer[] }) => (
  <Panel title="Permits between networks" count={permits.length}>
    <Table
      {...{ caption: 'Permits between networks', columns: PERMITS, rows: permits, name: 'by-permit' }}
      idOf={({ from, to, protocol, ports, origin }) => [from, to, protocol, ports, origin].join(' ')}
    />
  </Panel>
);
