/**
 * What has happened on this host: edits, loads and how long they took, repairs after drift, sources lost and back.
 */
import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { many } from '../../../src/format/values.ts';
import type { EventKind } from '../../../src/live/tables.ts';
import { now } from '../../live/clock.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { Icon } from '../../ui/icon.tsx';
import type { IconName } from '../../ui/icon-paths.ts';
import { Choices, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { keyPath, queryOf, workloadPath } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { type Column, GroupedTable } from '../../ui/table.tsx';
import { Empty, Loading } from '../../ui/texts.tsx';
import { clockTime, Time } from '../../ui/time.tsx';
import {
  type Activity,
  activity,
  byTime,
  type EventRow,
  eventRows,
  KIND_WORDS,
  kindCounts,
} from './model.ts';

/** Groups by age are made again after as many ms. */
const STEP = 10_000;

export default function TimelineScreen() {
  const moment = useComputed(() => Math.ceil(now.value / STEP) * STEP).value;
  if (!hasState.value) return <Loading />;
  const events = table('events');
  return (
    <>
      <Heading
        title="Timeline"
        lead={leadOf(activity(events.values(), moment))}
        command="journalctl -u egresstrator"
      />
      <Events events={events} moment={moment} />
    </>
  );
}

function leadOf({ edits, loads, repairs, slowest }: Activity): string {
  const slow = slowest === undefined ? '' : `, the slowest in ${slowest.toLocaleString('en-US')} ms`;
  const repaired = repairs === 0 ? 'no drift' : many(repairs, 'drift repair');
  return `In the last hour: ${many(edits, 'edit')}, ${many(loads, 'load')}${slow}, ${repaired}.`;
}

function Events({
  events,
  moment,
}: {
  readonly events: ReturnType<typeof table<'events'>>;
  readonly moment: number;
}) {
  const filter = { kind: queryOf('kind'), search: queryOf('q') };
  const rows = useMemo(() => eventRows(events, filter), [events, filter.kind, filter.search]);
  const groups = useMemo(() => byTime(rows, moment, dayOf), [rows, moment]);
  return (
    <Panel title="Events" count={rows.length}>
      <Filters>
        <SearchField label="Container, key or text" />
        <Choices name="kind" label="Kind" choices={choicesOf(events)} />
      </Filters>
      {rows.length > 0 ? (
        <GroupedTable
          caption="Events, the newest first"
          columns={COLUMNS}
          groups={groups.map(({ title, rows: inside }) => ({ id: title, title, rows: inside }))}
          idOf={({ id }) => id}
          limit={150}
        />
      ) : (
        <Empty>
          {events.size === 0
            ? `Nothing has happened since the page began to look. The controller started ${clockTime(controller.value?.startedAt ?? 0)}.`
            : 'No event is as the filters say.'}
        </Empty>
      )}
    </Panel>
  );
}

function choicesOf(events: ReturnType<typeof table<'events'>>) {
  const problems = [...events.values()].filter(({ isProblem }) => isProblem === true).length;
  return [
    ...(problems === 0 ? [] : [{ value: 'problems', label: 'Problems', count: problems }]),
    ...kindCounts(events.values()).map(({ kind, count }) => ({
      ...{ value: kind, count, label: KIND_WORDS[kind] },
    })),
  ];
}

const DAY = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short' });
const dayOf = (at: number): string => DAY.format(new Date(at));

const ICONS: Readonly<Record<EventKind, IconName>> = {
  controller: 'host',
  key: 'pencil',
  workload: 'play',
  load: 'shield',
  repair: 'history',
  source: 'network',
  override: 'lock',
  host: 'port',
  template: 'list',
};

const COLUMNS: readonly Column<EventRow>[] = [
  {
    ...{ id: 'time', title: 'Time', look: 'fit' },
    cell: ({ at }) => (
      <span class="moment">
        <span class="code">{clockTime(at)}</span>{' '}
        <span class="muted">
          <Time at={at} />
        </span>
      </span>
    ),
  },
  {
    ...{ id: 'kind', title: 'What', look: 'fit' },
    cell: ({ kind }) => (
      <span class="event-kind">
        <Icon name={ICONS[kind]} />
        {KIND_WORDS[kind]}
      </span>
    ),
  },
  { ...{ id: 'subject', title: 'About', isMain: true }, cell: (event) => <Subject {...event} /> },
  {
    ...{ id: 'text', title: 'Event', look: 'wide' },
    cell: ({ text, isProblem }) =>
      isProblem ? (
        <span class="event-problem">
          <State state="problem" look={{ icon: 'warning', tone: 'bad' }} />{' '}
          <span class="problem">{text}</span>
        </span>
      ) : (
        text
      ),
  },
  {
    ...{ id: 'took', title: 'Took', isNumber: true, look: 'fit' },
    cell: ({ took }) => (took === undefined ? '' : `${took.toLocaleString('en-US')} ms`),
  },
];

/** Leads to the container or the key, as long as it is there. */
function Subject({ kind, subject }: EventRow) {
  if (kind === 'key' && table('keys').has(subject)) return <a href={keyPath(subject)}>{subject}</a>;
  const hasWorkload = kind === 'workload' || kind === 'load' || kind === 'repair' || kind === 'override';
  if (hasWorkload && subject !== '') return <a href={workloadPath(subject)}>{subject}</a>;
  return <>{subject}</>;
}
