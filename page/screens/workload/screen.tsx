/**
 * One workload: what it may reach, what was denied to it, who calls it, and what happened.
 */

import { shellWord } from '../../../src/common/text.ts';
import type { IngressStatus } from '../../../src/features/ingress/status.ts';
import type { GrantedName } from '../../../src/features/names/name-report.ts';
import { STATE_MEANING } from '../../../src/format/meaning.ts';
import type { TimelineEvent, WithoutRules, WorkloadEntry } from '../../../src/live/tables.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { Heading, Panel } from '../../ui/panel.tsx';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading, Problems, Trouble } from '../../ui/texts.tsx';
import { clockTime, Time } from '../../ui/time.tsx';
import { deniedRows } from '../denied/model.ts';
import { DeniedNames, DeniedTable } from '../denied/tables.tsx';
import type { Params } from '../screen.ts';
import { Ask } from './ask.tsx';
import { Callers } from './callers.tsx';
import { WorkloadFacts } from './facts.tsx';
import { callersOf, eventsOf, findWorkload } from './model.ts';
import { Reach } from './reach.tsx';

export default function WorkloadScreen({ params: { name = '' } }: { readonly params: Params }) {
  if (!hasState.value) return <Loading />;
  const tables = {
    ...{ workloads: table('workloads'), unsupported: table('unsupported') },
    ...{ notEnabled: table('notEnabled'), ingress: table('ingress') },
  };
  const found = findWorkload(tables, name);
  if (found === undefined) return <Gone name={name} />;
  if (found.kind === 'workload') return <Workload key={found.workload.id} workload={found.workload} />;
  if (found.kind === 'called') return <Called name={name} status={found.status} />;
  return <WithoutRulesScreen state={found.kind} one={found.one} />;
}

const Gone = ({ name }: { readonly name: string }) => (
  <>
    <Heading title={name} command="egresstrator status" />
    <Trouble>
      No container {name} with EGRESSTRATOR_ENABLE=1 runs here. <a href="/">All workloads</a>
    </Trouble>
  </>
);

const WithoutRulesScreen = ({ state, one }: { readonly state: string; readonly one: WithoutRules }) => (
  <>
    <Heading title={one.name} command="egresstrator status" lead="It has no rules: it can reach everything.">
      <State state={state} />
    </Heading>
    <Trouble>{one.problem.reason}</Trouble>
  </>
);

/** It has rules about its callers alone. */
const Called = ({ name, status }: { readonly name: string; readonly status: IngressStatus }) => (
  <>
    <Heading
      title={name}
      command={`egresstrator status ${shellWord(name)}`}
      lead="It names ingress keys, and not EGRESSTRATOR_ENABLE=1: it may reach everything."
    />
    <Callers callers={callersOf({ ingress: table('ingress'), deniedCalls: table('deniedCalls') }, status)} />
    <Timeline events={eventsOf(table('events'), { ...status, grants: [] })} />
  </>
);

function Workload({ workload }: { readonly workload: WorkloadEntry }) {
  const { target, state, mode, project, problems } = workload;
  return (
    <>
      <Heading
        title={target}
        command={`egresstrator status ${shellWord(target)}`}
        lead={`${capital(STATE_MEANING[state])}.`}
      >
        <State state={state} />
        {mode === 'audit' && state !== 'audit' && <Tag tone="watch">audit</Tag>}
        {project !== undefined && (
          <a class="tag" href={`/?q=${encodeURIComponent(project)}`}>
            {project}
          </a>
        )}
      </Heading>
      {problems.length > 0 && (
        <Panel title="Problems" count={problems.length}>
          <Problems problems={problems} />
        </Panel>
      )}
      <div class="panels">
        <Ask container={target} fingerprint={workload.fingerprint} />
        <Panel title="Facts">
          <div>
            <WorkloadFacts workload={workload} loader={controller.value?.loader} />
          </div>
        </Panel>
      </div>
      <Reach workload={workload} />
      <Denied workload={workload} />
      <GrantedNames grants={table('names').get(workload.id)?.grants ?? []} />
      <Callers
        callers={callersOf({ ingress: table('ingress'), deniedCalls: table('deniedCalls') }, workload)}
      />
      <Timeline events={eventsOf(table('events'), workload)} />
    </>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function Denied({ workload: { target } }: { readonly workload: WorkloadEntry }) {
  const tables = { denied: table('denied'), workloads: table('workloads') };
  const filter = { container: target, search: '', mode: '' };
  const rows = deniedRows(tables, filter, controller.value?.denylist ?? false);
  const names = [...table('deniedNames').values()].filter(({ container }) => container === target);
  return (
    <>
      <Panel
        title="Denied"
        count={rows.length}
        tools={<a href={`/denied?container=${encodeURIComponent(target)}`}>Watch it live</a>}
      >
        {rows.length === 0 ? (
          <Empty>Nothing was denied to it in the last hour.</Empty>
        ) : (
          <DeniedTable rows={rows} hasContainer={false} />
        )}
      </Panel>
      {names.length > 0 && (
        <Panel title="Names asked in vain" count={names.length}>
          <DeniedNames rows={names} hasContainer={false} />
        </Panel>
      )}
    </>
  );
}

const NAME_COLUMNS: readonly Column<GrantedName>[] = [
  {
    ...{ id: 'name', title: 'Name', isMain: true, sort: ({ name }) => name },
    cell: ({ name }) => <span class="code">{name}</span>,
  },
  {
    ...{ id: 'address', title: 'Address', sort: ({ address }) => address },
    cell: ({ address }) => <span class="code">{address}</span>,
  },
  { id: 'ports', title: 'Ports', cell: ({ ports }) => <span class="code">{ports}</span> },
  {
    ...{ id: 'until', title: 'Granted until', isNumber: true, look: 'fit', sort: ({ until }) => until },
    cell: ({ until }) => clockTime(until),
  },
];

const GrantedNames = ({ grants }: { readonly grants: readonly GrantedName[] }) =>
  grants.length === 0 ? null : (
    <Panel title="Granted by name" count={grants.length}>
      <Table
        caption="Addresses that names lead to and that are granted now"
        columns={NAME_COLUMNS}
        rows={grants}
        idOf={({ name, address, ports }) => `${name} ${address} ${ports}`}
        name="granted"
      />
    </Panel>
  );

/** The most events that are shown. */
const MOST_EVENTS = 20;

const Timeline = ({ events }: { readonly events: readonly TimelineEvent[] }) => (
  <Panel title="Timeline" tools={<a href="/timeline">Of all workloads</a>}>
    {events.length === 0 ? (
      <Empty>Nothing has happened to it or its keys since the controller started.</Empty>
    ) : (
      <ol class="events">
        {events.slice(0, MOST_EVENTS).map((one) => (
          <li key={`${one.at} ${one.kind} ${one.text}`}>
            <Time at={one.at} />
            <span class="muted">{one.kind === 'key' ? `key ${one.subject}` : one.kind}</span>
            <span class={one.isProblem ? 'problem' : ''}>
              {one.text}
              {one.took !== undefined && <span class="muted"> in {one.took} ms</span>}
            </span>
          </li>
        ))}
      </ol>
    )}
  </Panel>
);
