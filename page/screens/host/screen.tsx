/**
 * The host: whether rules hold, in a sentence, and all of its workloads.
 */
import { computed } from '@preact/signals';
import { RAW_LINE } from '../../../src/format/raw-sockets.ts';
import { many } from '../../../src/format/values.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { Choices, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { keyPath, queryOf, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { State, Tag } from '../../ui/state.tsx';
import { urgencyOf } from '../../ui/state-looks.ts';
import { type Column, GroupedTable } from '../../ui/table.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { Called } from './called.tsx';
import { byProject, type HostRow, headline, hostRows, stateCounts } from './model.ts';
import { hostRemarks } from './remarks.ts';
import { Sources } from './sources.tsx';

const rows = computed(() =>
  hostRows({
    ...{ workloads: table('workloads'), unsupported: table('unsupported') },
    ...{ notEnabled: table('notEnabled'), denied: table('denied') },
  }),
);

const remarks = computed(() =>
  hostRemarks({
    ...{ controller: table('controller'), ingress: table('ingress') },
    ...{ host: table('host'), networks: table('networks') },
  }),
);

export default function HostScreen() {
  if (!hasState.value) return <Loading />;
  const one = controller.value;
  return (
    <>
      <Heading
        title={one?.node ?? 'Host'}
        command="egresstrator status"
        lead={
          one !== undefined && (
            <>
              egresstrator {one.version}, started <Time at={one.startedAt} />, loads {one.template} by{' '}
              {one.loader}
            </>
          )
        }
      />
      <Summary />
      <Workloads />
      <Called />
      <Sources />
    </>
  );
}

function Summary() {
  const { tone, text } = headline(
    rows.value,
    [...table('sources').values()],
    controller.value?.isReady ?? false,
  );
  return (
    <div class="summary">
      <Note tone={tone}>{text}</Note>
      {remarks.value.map((one) => (
        <Note key={one.text} tone={one.tone}>
          {one.text} {one.more !== undefined && <a href={one.more}>More</a>}
        </Note>
      ))}
    </div>
  );
}

const textOf = ({ name, project, others, grants, state }: HostRow): string =>
  [name, project, ...others, ...grants, state].join(' ');

function Workloads() {
  const wanted = queryOf('state');
  const found = matching(rows.value, queryOf('q'), textOf).filter(
    ({ state }) => wanted === '' || state === wanted,
  );
  return (
    <Panel title="Workloads" count={rows.value.length} tools={<SearchField label="Name, project or key" />}>
      <Filters>
        <Choices
          name="state"
          label="State"
          choices={stateCounts(rows.value).map(({ state, count }) => ({
            value: state,
            count,
            label: <State state={state} />,
          }))}
        />
      </Filters>
      {found.length === 0 ? (
        <Empty>{rows.value.length === 0 ? START : 'None has this state and these words.'}</Empty>
      ) : (
        <GroupedTable
          caption="Workloads"
          columns={COLUMNS}
          idOf={({ name, state }) => `${state} ${name}`}
          groups={byProject(found).map(({ project, rows: inside }) => ({
            ...{ id: project, rows: inside },
            title: project === '' ? 'Without a compose project' : project,
          }))}
          below={({ problem }) => problem !== undefined && <p class="problem">{problem}</p>}
        />
      )}
    </Panel>
  );
}

const START = 'Start a container with EGRESSTRATOR_ENABLE=1 and EGRESSTRATOR_ACL=<key>, and it appears here.';

/** Where nothing is to say, or nothing is known. */
const None = ({ children = false }: { readonly children?: string | false }) =>
  children === false ? <span class="none">–</span> : <span class="muted">{children}</span>;

const COLUMNS: readonly Column<HostRow>[] = [
  {
    ...{ id: 'name', title: 'Container', isMain: true, look: 'name' },
    sort: ({ name }) => name,
    cell: ({ name, others, hasRules }) => (
      <>
        {hasRules ? <a href={workloadPath(name)}>{name}</a> : name}
        {others.length > 0 && <span class="muted"> and {others.join(', ')}</span>}
      </>
    ),
  },
  {
    ...{ id: 'state', title: 'State', look: 'fit' },
    sort: ({ state }) => urgencyOf(state),
    cell: ({ state }) => <State state={state} />,
  },
  {
    ...{ id: 'keys', title: 'Keys', look: 'wide' },
    sort: ({ grants }) => grants.join(' '),
    cell: ({ grants, hasRules }) =>
      grants.length === 0 ? (
        <None>{hasRules && 'none'}</None>
      ) : (
        <span class="tags">
          {grants.map((key) => (
            <a key={key} class="tag" href={keyPath(key)}>
              {key}
            </a>
          ))}
        </span>
      ),
  },
  {
    ...{ id: 'denied', title: 'Denied, last hour', isNumber: true, look: 'fit' },
    sort: ({ packets }) => packets,
    cell: ({ name, destinations, packets, hasRules }) =>
      destinations === 0 ? (
        <None>{hasRules && '0'}</None>
      ) : (
        <a href={`/denied?container=${encodeURIComponent(name)}`} title={many(packets, 'packet')}>
          {many(destinations, 'destination')}
        </a>
      ),
  },
  {
    ...{ id: 'raw', title: 'Raw sockets', look: 'fit' },
    sort: ({ hasRawSockets }) => Number(hasRawSockets),
    cell: ({ hasRawSockets, hasRules }) =>
      hasRawSockets ? (
        <Tag tone="warn" title={RAW_LINE}>
          can be opened
        </Tag>
      ) : (
        <None>{hasRules && 'no'}</None>
      ),
  },
  {
    ...{ id: 'verified', title: 'Verified', isNumber: true, look: 'fit' },
    sort: ({ verifiedAt }) => verifiedAt ?? 0,
    cell: ({ verifiedAt, hasRules }) => (hasRules ? <Time at={verifiedAt} /> : <None />),
  },
];
