/**
 * Denied traffic as it happens: one row for each destination, why, and what would allow it.
 */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { shellWord } from '../../../src/common/text.ts';
import { unrecorded } from '../../../src/diagnostics/unavailable.ts';
import { unlisted } from '../../../src/format/denied-record.ts';
import { inPeriod, many, sentence } from '../../../src/format/values.ts';
import type { DeniedRecordEntry } from '../../../src/live/tables.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { Button, Choices, Filters, Heading, Panel, SearchField, Select } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { changedSince, containersOf, covered, deniedRows } from './model.ts';
import { DeniedNames, DeniedTable } from './tables.tsx';

/** The tables as they were when the view was paused. */
const frozen = signal<ReturnType<typeof presentTables> | undefined>(undefined);

const presentTables = () => ({ denied: table('denied'), names: table('deniedNames') });

const tables = computed(() => frozen.value ?? presentTables());

export default function DeniedScreen() {
  if (!hasState.value) return <Loading />;
  const container = queryOf('container');
  return (
    <>
      <Heading
        title="Denied"
        command={`egresstrator denied${container === '' ? '' : ` ${shellWord(container)}`}`}
        lead={`What containers tried to reach and may not, ${inPeriod(covered(table('deniedRecords').values()))}.`}
      >
        <Pause />
      </Heading>
      <Remarks container={container} />
      <Destinations container={container} />
      <Names container={container} />
      <Inward />
    </>
  );
}

const missed = computed(() => {
  const before = frozen.value;
  const present = presentTables();
  if (before === undefined) return 0;
  return changedSince(before.denied, present.denied) + changedSince(before.names, present.names);
});

function Pause() {
  const isPaused = frozen.value !== undefined;
  useEffect(
    () => () => {
      frozen.value = undefined;
    },
    [],
  );
  return (
    <>
      <Button
        icon={isPaused ? 'play' : 'pause'}
        isPressed={isPaused}
        onPress={() => {
          frozen.value = isPaused ? undefined : presentTables();
        }}
      >
        {isPaused ? 'Resume' : 'Pause'}
      </Button>
      {isPaused && (
        <span class="muted" role="status">
          {many(missed.value, 'row')} changed meanwhile
        </span>
      )}
    </>
  );
}

/** What may be missing, and why. */
function Remarks({ container }: { readonly container: string }) {
  const one = controller.value;
  const records = [...table('deniedRecords')].filter(([name]) => container === '' || name === container);
  return (
    <>
      {one?.recordsDenied === false && <Note tone="warn">{sentence(unrecorded(one.template))}</Note>}
      {one?.keysUnknown !== undefined && (
        <Note tone="warn">Services and keys of destinations are not known: {one.keysUnknown}.</Note>
      )}
      {records.map(([name, record]) => (
        <RecordRemarks key={name} container={name} record={record} />
      ))}
    </>
  );
}

const RecordRemarks = ({
  container,
  record: { error, summary },
}: {
  readonly container: string;
  readonly record: DeniedRecordEntry;
}) => (
  <>
    {error !== undefined && (
      <Note tone="bad">
        {container}: {error}
      </Note>
    )}
    {summary?.fullAt !== undefined && (
      <Note tone="warn">
        The record of {container} {summary.isFull ? 'is full' : 'was full'}: {unlisted(summary)}.
      </Note>
    )}
  </>
);

const MODES = [
  { value: 'denied', label: 'Denied' },
  { value: 'passed', label: 'Passed in audit mode' },
];

function Destinations({ container }: { readonly container: string }) {
  const all = tables.value.denied;
  const rows = deniedRows(
    { denied: all, workloads: table('workloads') },
    { container, search: queryOf('q'), mode: queryOf('mode') },
    controller.value?.denylist ?? false,
  );
  const names = containersOf(all.values(), tables.value.names.values());
  return (
    <Panel title="Destinations" count={rows.length}>
      <Filters>
        <SearchField label="Address, service or key" />
        <Select
          name="container"
          label="Container"
          choices={[['', 'All containers'], ...withChosen(names, container)]}
        />
        <Choices name="mode" label="Whether it passed" choices={MODES} />
      </Filters>
      {rows.length > 0 ? (
        <DeniedTable rows={rows} />
      ) : (
        <Empty>
          {all.size === 0
            ? `Nothing was denied ${inPeriod(covered(table('deniedRecords').values()))}. What is denied appears here by itself.`
            : 'Nothing that was denied is as the filters say.'}
        </Empty>
      )}
    </Panel>
  );
}

/** The chosen one is in the list even if nothing was denied to it. */
const withChosen = (names: readonly string[], chosen: string): readonly (readonly [string, string])[] =>
  [...new Set(chosen === '' ? names : [...names, chosen])].map((name) => [name, name]);

function Names({ container }: { readonly container: string }) {
  const found = [...tables.value.names.values()].filter(
    (row) => container === '' || row.container === container,
  );
  const rows = matching(found, queryOf('q'), ({ container: name, name: asked }) => `${name} ${asked}`);
  if (rows.length === 0) return null;
  return (
    <Panel title="Names asked in vain" count={rows.length}>
      <DeniedNames rows={rows} />
    </Panel>
  );
}

function Inward() {
  const calls = table('deniedCalls').size;
  if (calls === 0) return null;
  return (
    <p class="soft">
      {many(calls, 'caller')} of containers of this host {calls === 1 ? 'was' : 'were'} denied too:{' '}
      <a href="/host">denied inward</a>.
    </p>
  );
}
