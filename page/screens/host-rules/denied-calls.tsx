/**
 * Who was denied inward, and what would let these callers in.
 */
import { useComputed, useSignal, useSignalEffect } from '@preact/signals';
import type { DeniedCall } from '../../../src/diagnostics/denied-in.ts';
import type { HostAnswer } from '../../../src/diagnostics/host-view.ts';
import type { SuggestInAnswer } from '../../../src/diagnostics/suggest-in.ts';
import { many } from '../../../src/format/values.ts';
import { ask } from '../../live/ask.ts';
import { table } from '../../live/store.ts';
import { Command, CopyButton } from '../../ui/copy.tsx';
import { Choices, Filters, Panel, SearchField } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { matching } from '../../ui/rows.ts';
import { Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import { admitCommand, callId, callText, gateText, hasPassed, latestFirst, portText } from './model.ts';
import { Container } from './tables.tsx';

type Guard = HostAnswer['guard'];

export function DeniedCalls({ guard }: { readonly guard: Guard }) {
  const all = useComputed(() => latestFirst(table('deniedCalls').values())).value;
  if (guard === undefined && table('ingress').size === 0 && all.length === 0) return null;
  const isChosen = (call: DeniedCall): boolean => ['', gateText(call)].includes(queryOf('gate'));
  const rows = matching(all.filter(isChosen), queryOf('caller'), callText);
  const byIngress = all.filter(({ gate }) => gate === 'ingress');
  return (
    <>
      <Panel
        title="Denied callers"
        count={all.length}
        tools={
          <CopyButton text="egresstrator denied --in" label="the command egresstrator denied --in" isPlain>
            denied --in
          </CopyButton>
        }
      >
        {all.length === 0 ? (
          <Empty>No call was denied in the last hour.</Empty>
        ) : (
          <>
            <Filters>
              {byIngress.length > 0 && (
                <Choices name="gate" label="Denied by" choices={choices(all, byIngress)} />
              )}
              <SearchField name="caller" label="Search callers" />
            </Filters>
            <Table
              {...{
                caption: 'Denied callers',
                columns: columns(guard),
                rows,
                name: 'by-caller',
                idOf: callId,
              }}
            />
          </>
        )}
      </Panel>
      {byIngress.length > 0 && <Suggestions />}
    </>
  );
}

const choices = (all: readonly DeniedCall[], byIngress: readonly DeniedCall[]) => [
  { value: 'ingress', label: 'by ingress keys', count: byIngress.length },
  { value: 'guard', label: 'by the guard of ports', count: all.length - byIngress.length },
];

const columns = (guard: Guard): readonly Column<DeniedCall>[] => [
  {
    ...{ id: 'caller', title: 'Caller', isMain: true, look: 'code' },
    cell: ({ source }) => source,
    sort: ({ source }) => source,
  },
  {
    ...{ id: 'container', title: 'Container' },
    cell: ({ container }) => <Container name={container} />,
    sort: ({ container = '' }) => container,
  },
  { id: 'port', title: 'Port', look: 'code fit', cell: portText, sort: ({ port = 0 }) => port },
  {
    ...{ id: 'gate', title: 'By' },
    cell: (call) => (
      <span>
        {gateText(call) === 'ingress' ? 'ingress keys' : 'guard'}{' '}
        {hasPassed(call, guard) && (
          <Tag tone="watch" title="It was recorded, and passed">
            passed
          </Tag>
        )}
      </span>
    ),
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true },
    cell: ({ packets }) => packets.toLocaleString('en-US'),
    sort: ({ packets }) => packets,
  },
  {
    ...{ id: 'first', title: 'First seen', look: 'fit' },
    cell: ({ firstSeenAt }) => <Time at={firstSeenAt} />,
    sort: ({ firstSeenAt }) => firstSeenAt,
  },
  {
    ...{ id: 'last', title: 'Last seen', look: 'fit' },
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
    sort: ({ lastSeenAt }) => lastSeenAt,
  },
  { id: 'do', title: 'Let it in', cell: (call) => <Admit call={call} /> },
];

const Admit = ({ call }: { readonly call: DeniedCall }) => {
  const command = admitCommand(call);
  if (command !== undefined)
    return (
      <CopyButton text={command} label={`the command that lets ${call.source} in`}>
        ports open
      </CopyButton>
    );
  return <span class="muted">{call.gate === 'ingress' ? 'by a line below' : 'no port to open'}</span>;
};

/** Asked again when callers come or go. */
function Suggestions() {
  const answer = useSignal<SuggestInAnswer | undefined>(undefined);
  const error = useSignal('');
  const asked = useComputed(() =>
    [...table('deniedCalls').values()]
      .flatMap((one) => (one.gate === 'ingress' ? [callId(one)] : []))
      .join('\n'),
  );
  useSignalEffect(() => {
    if (asked.value === '') return;
    const stop = new AbortController();
    ask<SuggestInAnswer>('/suggest-in', {}, stop.signal).then(
      (found) => {
        answer.value = found;
        error.value = '';
      },
      (reason: Error) => {
        if (reason.name !== 'AbortError') error.value = reason.message;
      },
    );
    return () => stop.abort();
  });
  return (
    <Panel
      title="Lines of ingress keys that let them in"
      tools={
        <CopyButton text="egresstrator suggest --in" label="the command egresstrator suggest --in" isPlain>
          suggest --in
        </CopyButton>
      }
    >
      {error.value !== '' && <Empty>They are not known: {error.value}</Empty>}
      {answer.value?.suggestions.map((one) => (
        <Suggested key={one.container} {...one} />
      ))}
      {answer.value?.suggestions.length === 0 && <Empty>The present keys let all of these callers in.</Empty>}
    </Panel>
  );
}

const Suggested = ({ container, keys, lines, notExpressible }: SuggestInAnswer['suggestions'][number]) => (
  <div class="suggested">
    <p>
      Callers of <Container name={container} />, ingress {keys.length === 1 ? 'key' : 'keys'}{' '}
      {keys.length === 0 ? 'none' : keys.join(', ')}
    </p>
    {lines.map((line) => (
      <div key={line.rule} class="way">
        <Command text={line.rule} label="the line" />
        <p class="muted">
          {many(line.packets, 'packet')}
          {line.services.length > 0 && `, at its address: ${line.services.join(', ')}`}
          {line.caller !== undefined && `, the address of ${line.caller} now, another one after a restart`}
          {line.gatewayOf !== undefined &&
            `, the gateway of the network ${line.gatewayOf}, as which all callers with a hidden address appear`}
        </p>
      </div>
    ))}
    {notExpressible.map((one) => (
      <p key={one} class="muted">
        No rule can let in {one}.
      </p>
    ))}
  </div>
);
