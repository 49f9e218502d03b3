/**
 * networks.json: how far each entry is, what fails, and what is wrong in the file.
 */
import { shellWord } from '../../../src/common/text.ts';
import type { NetworksSummary } from '../../../src/diagnostics/networks-view.ts';
import { now } from '../../live/clock.ts';
import { hasState, table } from '../../live/store.ts';
import { Command } from '../../ui/copy.tsx';
import { Choices, type Fact, Facts, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { State } from '../../ui/state.tsx';
import { type Column, GroupedTable } from '../../ui/table.tsx';
import { Empty, Loading, Note, Problems } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import {
  ENTRY_MEANING,
  type EntryRow,
  entryText,
  KIND_TITLES,
  KINDS,
  problemsOfFile,
  retryText,
  rowsOf,
  stateCounts,
  summaryOf,
} from './model.ts';

export default function Networks() {
  const networks = table('networks').get('networks');
  if (!hasState.value) return <Loading />;
  if (networks === undefined) return <Off />;
  const problems = problemsOfFile(table('host').get('host')?.problems ?? []);
  return (
    <>
      <Heading
        title="Networks"
        command={`egresstrator networks check ${shellWord(networks.path)}`}
        lead={summaryOf(networks)}
      />
      {networks.error !== undefined && <Note tone="bad">{networks.error}</Note>}
      {networks.failing.length > 0 && <Failing networks={networks} />}
      {problems.length > 0 && (
        <Panel title="Problems" count={problems.length}>
          <Problems problems={problems} />
        </Panel>
      )}
      <Entries networks={networks} />
      <Panel title="File">
        <Facts facts={factsOf(networks)} />
      </Panel>
    </>
  );
}

const factsOf = ({ path, readAt }: NetworksSummary): readonly Fact[] => [
  ['path', <code key="path">{path}</code>],
  ['last read', <Time key="read" at={readAt} />],
  [
    'another file',
    <Command
      key="diff"
      text={`egresstrator networks diff new.json --networks ${shellWord(path)}`}
      label="the command that compares another file"
    />,
  ],
];

function Failing({ networks: { failing } }: { readonly networks: NetworksSummary }) {
  return (
    <Panel title="Steps that fail" count={failing.length}>
      <ul class="findings">
        {failing.map((step) => (
          <li key={step.name}>
            <State state="failed" />
            <div>
              <p class="where">{step.name}</p>
              <p>{step.reason}</p>
              <p class="remedy">{retryText(step, now.value)}</p>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Entries({ networks }: { readonly networks: NetworksSummary }) {
  const chosen = queryOf('state');
  const groups = KINDS.map((kind) => ({ kind, all: rowsOf(networks, kind) })).map(({ kind, all }) => {
    const wanted = all.filter(({ state }) => chosen === '' || state === chosen);
    return { kind, all, rows: matching(wanted, queryOf('q'), entryText) };
  });
  const count = groups.reduce((sum, { all }) => sum + all.length, 0);
  const shown = groups.filter(({ rows }) => rows.length > 0);
  return (
    <Panel title="Entries" count={count}>
      {count > 0 && (
        <Filters>
          <Choices
            name="state"
            label="State"
            choices={stateCounts(networks).map((one) => ({
              value: one.state,
              label: one.state,
              count: one.count,
            }))}
          />
          <SearchField label="Search entries" />
        </Filters>
      )}
      {shown.length === 0 ? (
        <Empty>{count === 0 ? 'The file has no entries.' : 'No entry matches the filters.'}</Empty>
      ) : (
        <GroupedTable
          {...{ caption: 'Entries of networks.json', columns: COLUMNS, idOf: ({ id }: EntryRow) => id }}
          groups={shown.map(({ kind, all, rows }) => ({
            ...{ id: kind, rows },
            title: `${KIND_TITLES[kind]} (${all.length})`,
          }))}
        />
      )}
    </Panel>
  );
}

const COLUMNS: readonly Column<EntryRow>[] = [
  {
    ...{ id: 'entry', title: 'Entry', isMain: true, look: 'wide' },
    cell: ({ text, path }) => text || path,
    sort: ({ text, path }) => text || path,
  },
  {
    ...{ id: 'state', title: 'State', look: 'fit' },
    cell: ({ state }) => <State state={state} title={ENTRY_MEANING[state]} />,
    sort: ({ state }) => state,
  },
  { id: 'path', title: 'In the file', look: 'code soft', cell: ({ path }) => path, sort: ({ path }) => path },
  { id: 'reason', title: 'Why', look: 'soft', cell: ({ reason }) => reason },
];

const Off = () => (
  <>
    <Heading
      title="Networks"
      command="egresstrator networks --help"
      lead="The controller runs without --networks: it makes no network, gives no container an address, and changes nothing of Docker's networks."
    >
      <State state="off" />
    </Heading>
    <Panel title="To turn it on">
      <div class="steps">
        <p>
          One file says which networks Docker has, which addresses containers have in them, and who may reach
          whom between them. Check it first: that needs no controller, and changes nothing.
        </p>
        <Command
          text="egresstrator networks check /etc/egresstrator/networks.json"
          label="the command that checks a file"
        />
        <p>Then start the controller with this variable, or with --networks and the path.</p>
        <Command
          text="NETWORKS_CONFIG_PATH=/etc/egresstrator/networks.json"
          label="the variable that turns it on"
        />
      </div>
    </Panel>
  </>
);
