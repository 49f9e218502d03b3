/**
 * "Who reaches …?" over the workloads of all hosts, and what is not known of the answer.
 */
import { useComputed } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import { list } from '../../../src/format/values.ts';
import { state, table } from '../../live/store.ts';
import { useLazy } from '../../ui/lazy.ts';
import { Panel } from '../../ui/panel.tsx';
import { Question } from '../../ui/question.tsx';
import { keyPath, queryOf, workloadPath } from '../../ui/router.ts';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { parseQuestion } from '../workload/model.ts';
import { time } from './age.ts';
import { type ClusterWorkload, clusterWorkloads, type Found, type FoundRow, search } from './model.ts';

const load = async () => ({
  ...(await import('../../rules/reaching.ts')),
  ...(await import('../../rules/snapshot.ts')),
});

export function Reachers() {
  return (
    <Panel title="Who reaches …?">
      <div class="ask">
        <Question
          name="q"
          label="An address, a service or a name with protocol and port; or a workload, or a key"
          placeholder="10.0.3.7 tcp/8443, a service, a name; or a workload, or a key"
          button="Search"
        />
        {queryOf('q') !== '' && <Result text={queryOf('q')} />}
      </div>
    </Panel>
  );
}

function Result({ text }: { readonly text: string }) {
  const rules = useLazy(load);
  const workloads = useComputed(() => {
    for (const one of ['hosts', 'workloads', 'controller'] as const) table(one);
    return clusterWorkloads(state.peek(), time.value);
  }).value;
  const snapshot = rules?.snapshot.value;
  const reach = useMemo(
    () => snapshot && rules?.reachOf(parseQuestion(text), snapshot, rules.indexOf),
    [text, snapshot, rules],
  );
  const found = useMemo(() => search(text, workloads, reach), [text, workloads, reach]);
  if (reach === undefined) return <Loading what="the rules" />;
  return (
    <div class="answers" aria-live="polite">
      <Rows found={found} text={text} />
      <Remarks found={found} workloads={workloads} />
    </div>
  );
}

function Rows({ found: { rows, unknown }, text }: { readonly found: Found; readonly text: string }) {
  if (rows.length > 0)
    return (
      <Table
        {...{ caption: `Workloads for ${text}`, columns: COLUMNS, rows, name: 'by' }}
        idOf={({ id }) => id}
        limit={50}
      />
    );
  if (unknown !== undefined) return <Note tone="warn">{unknown}</Note>;
  return <Empty>No rule of a known workload lets it reach {text}, and nothing has this name.</Empty>;
}

const COLUMNS: readonly Column<FoundRow>[] = [
  {
    ...{ id: 'workload', title: 'Workload', isMain: true },
    cell: ({ name, isHere }) => (isHere ? <a href={workloadPath(name)}>{name}</a> : name),
    sort: ({ name }) => name,
  },
  {
    ...{ id: 'host', title: 'Host' },
    cell: (row) => <Where row={row} />,
    sort: ({ node }) => node,
  },
  {
    id: 'state',
    title: 'State',
    look: 'fit',
    cell: (row) => <State state={row.state} />,
    sort: (row) => row.state,
  },
  {
    ...{ id: 'reaches', title: 'Reaches it' },
    cell: ({ reaches, isHere }) =>
      reaches ? (
        <State state="allowed" title={isHere ? 'by its rules' : 'by its keys'} />
      ) : (
        <span class="muted">not by a rule</span>
      ),
    sort: ({ reaches }) => Number(!reaches),
  },
  { id: 'why', title: 'Because of', look: 'wide', cell: (row) => <Because row={row} /> },
];

const Where = ({ row: { node, isHere, host, at } }: { readonly row: ClusterWorkload }) => (
  <span>
    {node}{' '}
    {isHere ? (
      <Tag>this host</Tag>
    ) : (
      host !== 'ok' &&
      host !== 'errors' && (
        <Tag tone="warn" title="What it has published is old">
          {host}, <Time at={at} />
        </Tag>
      )
    )}
  </span>
);

/** The most lines of one workload. */
const MOST = 4;

const Because = ({ row: { lines, named, namedKeys } }: { readonly row: FoundRow }) => (
  <ul class="lines">
    {lines.slice(0, MOST).map(({ key, line, rule }) => (
      <li key={`${line} ${key}`}>
        <a href={keyPath(key)}>
          key {key} line {line}
        </a>{' '}
        <code>{rule}</code>
      </li>
    ))}
    {lines.length > MOST && <li class="muted">and {lines.length - MOST} more lines</li>}
    {lines.length === 0 && named && <li class="muted">its name</li>}
    {lines.length === 0 &&
      namedKeys.map((key) => (
        <li key={key}>
          <a href={keyPath(key)}>key {key}</a>
        </li>
      ))}
  </ul>
);

/** What the answer does not say. */
function Remarks({
  found: { unlimited },
  workloads,
}: {
  readonly found: Found;
  readonly workloads: readonly ClusterWorkload[];
}) {
  const hasOthers = workloads.some(({ isHere }) => !isHere);
  return (
    <>
      {unlimited.length > 0 && (
        <p class="muted">
          Keys do not limit {list([...shortened(unlimited)])}: what passes there depends on more than keys.
        </p>
      )}
      {hasOthers && (
        <p class="muted">
          Workloads of this host are told by their rules. Those of other hosts are told by the keys that these
          have published, with the keys and services that this host reads in Consul: another folder of keys,
          another template and what their kernels have loaded are not known here.
        </p>
      )}
    </>
  );
}

/** The first few, and how many more. */
function shortened(all: readonly ClusterWorkload[]): readonly string[] {
  const few = all.slice(0, 5).map(({ name, node, state: word }) => `${name} (${word}, ${node})`);
  return all.length > few.length ? [...few, `${all.length - few.length} more`] : few;
}
