/**
 * Names of DNS: where they are answered, which addresses they grant now, and which were asked in vain.
 */
import { useComputed } from '@preact/signals';
import { type DeniedNameRow, nameSuggestions } from '../../../src/diagnostics/denied-names.ts';
import { NO_REPORT } from '../../../src/features/names/name-report.ts';
import { deniedNameId } from '../../../src/live/tables.ts';
import { now } from '../../live/clock.ts';
import { hasState, state, table } from '../../live/store.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Button, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { keyPath, queryOf, setQuery, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import {
  deniedNamesOf,
  deniedNameText,
  type GrantedRow,
  grantedRows,
  grantedText,
  leftText,
  type NamesRow,
  namesRows,
  summaryOf,
  whyText,
} from './model.ts';

export default function Names() {
  const rows = useComputed(() => {
    table('names');
    table('workloads');
    return namesRows(state.peek());
  }).value;
  if (!hasState.value) return <Loading />;
  return (
    <>
      <Heading title="Names" command="egresstrator status" lead={summaryOf(rows)} />
      {rows.length === 0 ? (
        <HowTo />
      ) : (
        <>
          <Workloads rows={rows} />
          <Denied />
          <Granted />
        </>
      )}
    </>
  );
}

const HowTo = () => (
  <Panel title="How a workload gets them">
    <div class="steps">
      <p>
        A line as <code>api.example.com:tcp/443</code> in a key lets its workloads reach what the name
        resolves to. From then on the controller answers their questions, and grants the addresses before the
        answer leaves. For workloads whose keys have no such line, nothing is started.
      </p>
      <p>
        <a href="/what-if">Try a line in a key</a>
      </p>
    </div>
  </Panel>
);

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

const Workloads = ({ rows }: { readonly rows: readonly NamesRow[] }) => (
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

const DENIED: readonly Column<DeniedNameRow>[] = [
  {
    ...{ id: 'name', title: 'Name', isMain: true, look: 'code words' },
    cell: ({ name }) => name,
    sort: ({ name }) => name,
  },
  {
    ...{ id: 'workload', title: 'Workload' },
    cell: ({ container }) => <a href={workloadPath(container)}>{container}</a>,
    sort: ({ container }) => container,
  },
  {
    ...{ id: 'asked', title: 'Asked', isNumber: true },
    cell: ({ count }) => count.toLocaleString('en-US'),
    sort: ({ count }) => count,
  },
  {
    ...{ id: 'last', title: 'Last seen', look: 'fit' },
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
    sort: ({ lastSeenAt }) => lastSeenAt,
  },
  { id: 'type', title: 'Type', look: 'soft', cell: ({ types }) => types.join(', ') },
  { id: 'why', title: 'Why', look: 'soft', cell: whyText },
  { id: 'allow', title: 'What would allow it', cell: (row) => <Allow row={row} /> },
];

/** The line, and keys that have one about it. */
const Allow = ({ row }: { readonly row: DeniedNameRow }) => {
  const [line] = nameSuggestions({ names: { ...NO_REPORT, denied: [row] } }, () => false);
  if (line === undefined && row.keys.length === 0) return <span class="muted">no rule by name</span>;
  return (
    <span class="tags">
      {row.keys.map((key) => (
        <a key={key} class="tag" href={keyPath(key)}>
          key {key}
        </a>
      ))}
      {line !== undefined && (
        <CopyButton text={line.rule} label={`the line ${line.rule}`}>
          <code>{line.rule}</code>
        </CopyButton>
      )}
    </span>
  );
};

function Denied() {
  const all = deniedNamesOf(table('deniedNames').values(), queryOf('workload'));
  const rows = matching(all, queryOf('q'), deniedNameText);
  return (
    <Panel
      title="Asked in vain, in the last hour"
      count={all.length}
      tools={
        <CopyButton text="egresstrator denied" label="the command egresstrator denied" isPlain>
          denied
        </CopyButton>
      }
    >
      {all.length === 0 ? (
        <Empty>Every name that was asked was answered.</Empty>
      ) : (
        <>
          <Filters>
            <SearchField label="Search names" />
            <Chosen />
          </Filters>
          <Table
            {...{ caption: 'Names that were asked in vain', columns: DENIED, rows, name: 'by' }}
            idOf={deniedNameId}
          />
        </>
      )}
    </Panel>
  );
}

const Chosen = () =>
  queryOf('workload') === '' ? null : (
    <Button icon="cross" onPress={() => setQuery({ workload: '' })}>
      only {queryOf('workload')}
    </Button>
  );

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

function Granted() {
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
