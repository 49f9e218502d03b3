/**
 * All keys: what each allows, who holds it, and what lint finds.
 */
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { many } from '../../../src/format/values.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { directionIn } from '../../ui/direction.ts';
import { Choices, Filters, Heading, Panel, SearchField } from '../../ui/panel.tsx';
import { keyPath, queryOf, workloadPath } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { deniedByKey, type KeyRow, keyRows, urgency } from './model.ts';
import { failures, viewIn } from './view.ts';

export default function KeysScreen() {
  const direction = directionIn();
  const view = viewIn(direction);
  if (!hasState.value || view === undefined) return <Loading what="the keys" />;
  return (
    <>
      <Heading
        title="Keys"
        command={`egresstrator keys${direction === 'ingress' ? ' --ingress' : ''}`}
        lead={
          direction === 'egress'
            ? 'What workloads may reach: each key is a text of rules in Consul, and a container names its keys by EGRESSTRATOR_ACL.'
            : 'Who may call containers: each key is a text of rules in Consul, and a container names its keys by EGRESSTRATOR_INGRESS.'
        }
      />
      {controller.value?.keysUnknown !== undefined && (
        <Note tone="warn">The keys are not known: {controller.value.keysUnknown}</Note>
      )}
      <Keys direction={direction} />
    </>
  );
}

function Keys({ direction }: { readonly direction: Direction }) {
  const view = viewIn(direction);
  const [why, denied] = [failures.value, table('denied')];
  const rows = useMemo(
    () =>
      view === undefined
        ? []
        : keyRows(view, why, direction === 'egress' ? deniedByKey(denied) : new Map(), direction),
    [view, why, denied, direction],
  );
  const others = table(direction === 'egress' ? 'ingressKeys' : 'keys').size;
  const wanted = queryOf('show');
  const found = matching(rows, queryOf('q'), textOf).filter((row) => FILTERS[wanted]?.(row) ?? true);
  return (
    <Panel
      title={direction === 'egress' ? 'ACL keys' : 'Ingress keys'}
      count={rows.length}
      tools={<SearchField label="Key or workload" />}
    >
      <Filters>
        <Choices
          name="in"
          label="Kind of keys"
          choices={[
            { value: '', label: 'ACL keys', count: direction === 'egress' ? rows.length : others },
            {
              value: 'ingress',
              label: 'Ingress keys',
              count: direction === 'ingress' ? rows.length : others,
            },
          ]}
        />
        <Choices
          name="show"
          label="Show"
          choices={[
            { value: 'findings', label: 'With findings', count: rows.filter(hasFindings).length },
            { value: 'unused', label: 'Not held', count: rows.filter(isUnused).length },
          ]}
        />
      </Filters>
      {found.length === 0 ? (
        <Empty>
          {rows.length === 0
            ? 'Consul has no such keys, and no container here names one.'
            : 'No key has these words.'}
        </Empty>
      ) : (
        <Table
          caption={direction === 'egress' ? 'ACL keys' : 'Ingress keys'}
          columns={COLUMNS[direction]}
          rows={found}
          idOf={({ key }) => key}
        />
      )}
    </Panel>
  );
}

const textOf = ({ key, heldBy }: KeyRow): string => [key, ...heldBy].join(' ');
const hasFindings = ({ findings }: KeyRow): boolean => findings.error + findings.warning > 0;
const isUnused = ({ heldBy }: KeyRow): boolean => heldBy.length === 0;

const FILTERS: Readonly<Record<string, (row: KeyRow) => boolean>> = {
  ...{ findings: hasFindings, unused: isUnused },
};

/** The most workloads that are named. */
const MOST_NAMED = 6;

const columnsOf = (direction: Direction): readonly Column<KeyRow>[] => [
  {
    ...{ id: 'key', title: 'Key', isMain: true, look: 'key-name' },
    sort: ({ key }) => key,
    cell: ({ key, exists }) => (
      <>
        <a href={`${keyPath(key)}${direction === 'ingress' ? '?in=ingress' : ''}`}>{key}</a>
        {!exists && <Tag tone="bad">not in Consul</Tag>}
      </>
    ),
  },
  {
    ...{ id: 'findings', title: 'Findings', look: 'fit' },
    sort: urgency,
    cell: ({ findings }) => <Counts findings={findings} />,
  },
  {
    ...{ id: 'rules', title: 'Rules', isNumber: true, look: 'fit' },
    sort: ({ rules }) => rules,
    cell: ({ rules }) => rules.toLocaleString('en-US'),
  },
  ...(direction === 'egress' ? EGRESS_ONLY : []),
  {
    ...{ id: 'held', title: 'Held by', look: 'wide' },
    sort: ({ heldBy }) => heldBy.length,
    cell: ({ heldBy }) => <Holders names={heldBy} />,
  },
];

const EGRESS_ONLY: readonly Column<KeyRow>[] = [
  {
    ...{ id: 'destinations', title: 'Destinations', isNumber: true, look: 'fit' },
    sort: ({ destinations }) => destinations,
    cell: ({ destinations, names }) => (
      <>
        {names > 0 && destinations === 0 ? '' : destinations.toLocaleString('en-US')}
        {names > 0 && <span class="muted"> {many(names, 'name')}</span>}
      </>
    ),
  },
  {
    ...{ id: 'denied', title: 'Denied without it', isNumber: true, look: 'fit' },
    sort: ({ denied }) => denied,
    cell: ({ key, denied }) =>
      denied === 0 ? (
        <span class="muted">0</span>
      ) : (
        <a href={`${keyPath(key)}`} title="denied to containers that do not have the key">
          {many(denied, 'destination')}
        </a>
      ),
  },
];

const COLUMNS = { egress: columnsOf('egress'), ingress: columnsOf('ingress') } as const;

const Counts = ({ findings: { error, warning } }: Pick<KeyRow, 'findings'>) => {
  if (error + warning === 0) return <span class="muted">none</span>;
  return (
    <span class="counts">
      {error > 0 && <State state={many(error, 'error')} look={{ icon: 'cross', tone: 'bad' }} />}
      {warning > 0 && <State state={many(warning, 'warning')} look={{ icon: 'warning', tone: 'warn' }} />}
    </span>
  );
};

export const Holders = ({ names }: { readonly names: readonly string[] }) =>
  names.length === 0 ? (
    <span class="muted">nobody</span>
  ) : (
    <span class="tags">
      {names.slice(0, MOST_NAMED).map((name) => (
        <a key={name} class="tag" href={workloadPath(name)}>
          {name}
        </a>
      ))}
      {names.length > MOST_NAMED && (
        <span class="muted">and {(names.length - MOST_NAMED).toLocaleString('en-US')} others</span>
      )}
    </span>
  );
