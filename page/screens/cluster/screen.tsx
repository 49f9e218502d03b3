/**
 * All hosts that publish their status in Consul, and a search over their workloads: who reaches what?
 */
import { useComputed } from '@preact/signals';
import { controller, hasState, table } from '../../live/store.ts';
import { Command } from '../../ui/copy.tsx';
import { Choices, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { time } from './age.ts';
import { type HostRow, hostRows, hostText, summaryOf } from './model.ts';
import { Reachers } from './reachers.tsx';

export default function Cluster() {
  const rows = useComputed(() => hostRows(table('hosts'), controller.value?.node, time.value)).value;
  if (!hasState.value) return <Loading />;
  const isPublished = controller.value?.publish !== undefined;
  return (
    <>
      <Heading
        title="Cluster"
        command="egresstrator status --cluster"
        lead={rows.length > 0 ? summaryOf(rows) : isPublished ? NOT_READ : NONE}
      />
      <Reachers />
      {rows.length > 0 && <Hosts rows={rows} />}
      {rows.length === 0 && !isPublished && <HowTo />}
    </>
  );
}

const NOT_READ = 'What hosts have published in Consul was not read yet.';
const NONE = 'No host publishes its status in Consul, so this page knows of this one alone.';

const HowTo = () => (
  <Panel title="To see all hosts">
    <div class="steps">
      <p>
        With --publish a controller writes the states of its workloads to Consul, and reads those of the
        others. Start it with this variable on each host. The token needs write on the folder.
      </p>
      <Command text="EGRESSTRATOR_PUBLISH=egress/status" label="the variable that turns it on" />
    </div>
  </Panel>
);

const COLUMNS: readonly Column<HostRow>[] = [
  {
    ...{ id: 'node', title: 'Host', isMain: true },
    cell: ({ node, isThis }) => (
      <>
        {node} {isThis && <Tag>this host</Tag>}
      </>
    ),
    sort: ({ node }) => node,
  },
  {
    ...{ id: 'state', title: 'State', look: 'fit' },
    cell: (row) => <State state={row.state} title={MEANING[row.state]} />,
    sort: (row) => row.state,
  },
  { id: 'seen', title: 'Last seen', look: 'fit', cell: ({ at }) => <Time at={at} />, sort: ({ at }) => at },
  {
    id: 'version',
    title: 'Version',
    look: 'fit',
    cell: ({ version }) => version,
    sort: ({ version }) => version,
  },
  {
    ...{ id: 'workloads', title: 'Workloads', isNumber: true },
    cell: ({ workloads }) => workloads.toLocaleString('en-US'),
    sort: ({ workloads }) => workloads,
  },
  { id: 'states', title: 'By state', look: 'wide soft', cell: ({ states }) => states },
];

const MEANING: Readonly<Record<HostRow['state'], string>> = {
  ok: 'it has published its status within three minutes, without errors',
  errors: 'it has published errors',
  stopped: 'its controller has stopped; loaded rules stay in its kernel',
  stale: 'it has not published its status for three minutes; what is shown is old',
  unreadable: 'its status cannot be read',
};

function Hosts({ rows: all }: { readonly rows: readonly HostRow[] }) {
  const chosen = queryOf('state');
  const states = Map.groupBy(all, (row) => row.state);
  const wanted = all.filter((row) => chosen === '' || row.state === chosen);
  const rows = matching(wanted, queryOf('host'), hostText);
  return (
    <Panel title="Hosts" count={all.length}>
      <Filters>
        {states.size > 1 && (
          <Choices
            name="state"
            label="State"
            choices={[...states].map(([value, some]) => ({ value, label: value, count: some.length }))}
          />
        )}
        {all.length > 5 && <SearchField name="host" label="Search hosts" />}
      </Filters>
      {rows.length === 0 ? (
        <Empty>No host matches the filters.</Empty>
      ) : (
        <Table
          {...{ caption: 'Hosts', columns: COLUMNS, rows }}
          idOf={({ node }) => node}
          below={({ errors }) =>
            errors.length === 0 ? undefined : (
              <ul class="problems">
                {errors.map((error) => (
                  <li key={error} class="problem">
                    {error}
                  </li>
                ))}
              </ul>
            )
          }
        />
      )}
    </Panel>
  );
}
