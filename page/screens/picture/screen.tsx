/**
 * Which workload reaches what, by which key, and what is denied: as a picture, and the same as a table.
 */
import { useMemo } from 'preact/hooks';
import type { Acl } from '../../../src/policy/acl.ts';
import { hasState, table } from '../../live/store.ts';
import { keysView } from '../../rules/snapshot.ts';
import { Choices, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading } from '../../ui/texts.tsx';
import { useThrottled } from '../../ui/throttled.ts';
import { Drawing } from './drawing.tsx';
import { found, type Graph, graphOf } from './graph.ts';
import { grouped } from './group.ts';
import { type PathRow, rowsOf } from './rows.ts';

/** Milliseconds: who points at something is not disturbed by each packet. */
const PAUSE = 2_000;

export default function PictureScreen() {
  const acl = keysView.value?.acl;
  return hasState.value && acl !== undefined ? <Picture acl={acl} /> : <Loading />;
}

function Picture({ acl }: { readonly acl: Acl }) {
  const [workloads, denied] = [table('workloads'), table('denied')];
  const tables = useThrottled(
    useMemo(() => ({ workloads, denied }), [workloads, denied]),
    PAUSE,
  );
  const [search, isHidden] = [queryOf('q'), queryOf('denied') === 'hidden'];
  const graph = useMemo(
    () => found(graphOf(tables, acl, !isHidden), search),
    [acl, tables, search, isHidden],
  );
  return (
    <>
      <Heading
        title="Picture"
        command="egresstrator keys"
        lead="Which workload reaches what, by which key. Dashed: denied in the last hour."
      />
      <Panel
        title={queryOf('view') === 'table' ? 'Paths' : 'Workloads, keys, destinations'}
        tools={<SearchField label="Workload, key or destination" />}
      >
        <Filters>
          <Choices
            name="view"
            label="View"
            choices={[
              { value: '', label: 'Picture' },
              { value: 'table', label: 'Table' },
            ]}
          />
          <Choices
            name="denied"
            label="Denied"
            choices={[{ value: 'hidden', label: 'Without what is denied' }]}
          />
        </Filters>
        {graph.nodes.length === 0 ? (
          <Empty>{search === '' ? 'No workload runs here.' : 'Nothing has these words.'}</Empty>
        ) : queryOf('view') === 'table' ? (
          <Paths graph={graph} />
        ) : (
          <Shown graph={graph} />
        )}
      </Panel>
    </>
  );
}

const TITLES = ['Workloads', 'Keys', 'Destinations'] as const;

function Shown({ graph }: { readonly graph: Graph }) {
  const shown = useMemo(() => grouped(graph), [graph]);
  return (
    <div class="drawing-panel">
      {shown.isGrouped && (
        <p class="muted">
          {shown.all.toLocaleString('en-US')} are too many for a picture, so those that are alike are one.
          Search, or press a group, to see each.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keyboard. */}
      <section class="drawing" tabIndex={0} aria-label="Picture">
        <div class="columns" aria-hidden="true">
          {TITLES.map((title) => (
            <span key={title}>{title}</span>
          ))}
        </div>
        <Drawing graph={shown} />
      </section>
      <p class="legend">
        <span class="sample allowed" /> allowed by the key
        <span class="sample denied" /> denied
      </p>
    </div>
  );
}

function Paths({ graph }: { readonly graph: Graph }) {
  const rows = useMemo(() => rowsOf(graph), [graph]);
  return (
    <Table
      caption="Which workload reaches what, by which key"
      columns={COLUMNS}
      rows={rows}
      idOf={({ workload, key, destination, isDenied }) =>
        JSON.stringify([workload.id, key?.id, destination?.id, isDenied])
      }
    />
  );
}

const COLUMNS: readonly Column<PathRow>[] = [
  {
    ...{ id: 'workload', title: 'Workload', isMain: true },
    sort: ({ workload }) => workload.label,
    cell: ({ workload }) => <a href={workload.href}>{workload.label}</a>,
  },
  {
    ...{ id: 'key', title: 'Key' },
    sort: ({ key }) => key?.label ?? '',
    cell: ({ key }) =>
      key === undefined ? <span class="muted">–</span> : <a href={key.href}>{key.label}</a>,
  },
  {
    ...{ id: 'destination', title: 'Destination', look: 'wide' },
    sort: ({ destination }) => destination?.label ?? '',
    cell: ({ destination }) =>
      destination === undefined ? <span class="muted">nothing</span> : <code>{destination.label}</code>,
  },
  {
    ...{ id: 'state', title: 'State', look: 'fit' },
    sort: ({ isDenied, destination }) => (isDenied ? 0 : destination === undefined ? 2 : 1),
    cell: ({ isDenied, destination }) =>
      destination === undefined ? (
        <span class="muted">–</span>
      ) : (
        <State state={isDenied ? 'denied' : 'allowed'} />
      ),
  },
  {
    ...{ id: 'packets', title: 'Packets denied', isNumber: true, look: 'fit' },
    sort: ({ packets = 0 }) => packets,
    cell: ({ packets }) =>
      packets === undefined ? <span class="muted">–</span> : packets.toLocaleString('en-US'),
  },
];
