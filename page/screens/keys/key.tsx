/**
 * One key: its text with findings in the margin, who holds it, and what was denied to those who do not.
 */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { type DeniedRow, placeOf } from '../../../src/diagnostics/denied-answer.ts';
import { many } from '../../../src/format/values.ts';
import { controller, hasState, table } from '../../live/store.ts';
import { getCommand, hasCommands, type KeyPlace, lintKeyCommand } from '../../rules/commands.ts';
import { useAnswer } from '../../rules/use-answer.ts';
import { Command } from '../../ui/copy.tsx';
import { Findings } from '../../ui/findings.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Facts, Heading, Panel } from '../../ui/panel.tsx';
import { workloadPath } from '../../ui/router.ts';
import { State, Tag } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Empty, Loading, Trouble } from '../../ui/texts.tsx';
import { Time } from '../../ui/time.tsx';
import type { Params } from '../screen.ts';
import { Holders } from './list.tsx';
import { deniedFor, type TextLine, textOf } from './model.ts';
import { directionIn, viewIn } from './view.ts';

export default function KeyScreen({ params: { key: name = '' } }: { readonly params: Params }) {
  const direction = directionIn();
  const view = viewIn(direction);
  if (!hasState.value || view === undefined) return <Loading what="the keys" />;
  const heldBy = (view.workloads ?? [])
    .filter(({ grants }) => grants.includes(name))
    .map((one) => one.name)
    .toSorted();
  const known = view.acl.get(name);
  if (known === undefined) return <Missing {...{ name, heldBy, direction }} />;
  return <Key key={`${direction} ${name}`} {...{ name, heldBy, direction, text: known.text }} />;
}

const placeIn = (name: string, direction: Direction): KeyPlace => ({
  ...{ key: name, direction },
  folder: controller.value?.[direction === 'egress' ? 'kvPath' : 'ingressPath'] ?? '',
});

const tryPath = (name: string, direction: Direction): string =>
  `/what-if?${new URLSearchParams({ key: name, ...(direction === 'ingress' && { in: 'ingress' }) })}`;

const KIND: Readonly<Record<Direction, string>> = { egress: 'ACL key', ingress: 'ingress key' };

const Missing = ({
  name,
  heldBy,
  direction,
}: {
  readonly name: string;
  readonly heldBy: readonly string[];
  readonly direction: Direction;
}) => (
  <>
    <Heading title={name} command={`egresstrator keys${direction === 'ingress' ? ' --ingress' : ''}`}>
      <Tag tone="bad">not in Consul</Tag>
    </Heading>
    <Trouble>
      Consul has no {KIND[direction]} {name}, so it grants nothing.{' '}
      <a href={tryPath(name, direction)}>Write one</a>
    </Trouble>
    {heldBy.length > 0 && (
      <Panel title="Held by" count={heldBy.length}>
        <div>
          <Holders names={heldBy} />
        </div>
      </Panel>
    )}
  </>
);

interface Given {
  readonly name: string;
  readonly direction: Direction;
  readonly text: string;
  readonly heldBy: readonly string[];
}

function Key({ name, direction, text, heldBy }: Given) {
  const answer = useAnswer({ key: name, text, direction });
  const view = viewIn(direction);
  const findings = answer?.findings ?? [];
  const lines = useMemo(
    () => (view === undefined ? [] : textOf(name, view, answer?.findings ?? [])),
    [name, view, answer],
  );
  const place = placeIn(name, direction);
  const ofKey = findings.filter(({ line }) => line === undefined);
  return (
    <>
      <Heading
        title={name}
        command={lintKeyCommand(place)}
        lead={
          direction === 'egress'
            ? `Held by ${many(heldBy.length, 'workload')} of this host.`
            : `Named by ${many(heldBy.length, 'container')} of this host.`
        }
      >
        <Tag>{KIND[direction]}</Tag>
        <a class="small" href={tryPath(name, direction)}>
          <Icon name="flask" />
          Try an edit
        </a>
      </Heading>
      <Panel title="Text" count={lines.length}>
        {lines.length === 0 ? (
          <Empty>The key is empty, so it grants nothing.</Empty>
        ) : (
          <Numbered lines={lines} />
        )}
        {ofKey.length > 0 && <Findings findings={ofKey} hasPlace={false} />}
      </Panel>
      <Panel title="Facts">
        <Facts
          facts={[
            [direction === 'egress' ? 'Held by' : 'Named by', <Holders key="holders" names={heldBy} />],
            ['In Consul', <code key="path">{`${place.folder}${name}`}</code>],
            ...(hasCommands(place)
              ? ([['Print it', <Command key="command" text={getCommand(place)} />]] as const)
              : []),
          ]}
        />
      </Panel>
      {direction === 'egress' && <Denied name={name} />}
    </>
  );
}

/** Lines that are shown at first. */
const MOST = 400;
/** Destinations that are shown of a line. */
const MOST_DESTINATIONS = 4;

const SIGN = { error: '×', warning: '!', info: 'i' } as const;

function Numbered({ lines }: { readonly lines: readonly TextLine[] }) {
  const most = useSignal(MOST);
  return (
    <>
      <ol class="numbered">
        {lines.slice(0, most.value).map((line) => (
          <Line key={line.line} line={line} />
        ))}
      </ol>
      {lines.length > most.value && (
        <p class="more">
          The first {most.value.toLocaleString('en-US')} of {lines.length.toLocaleString('en-US')} lines are
          shown.
          <button
            type="button"
            class="small"
            onClick={() => {
              most.value += 4 * MOST;
            }}
          >
            Show more
          </button>
        </p>
      )}
    </>
  );
}

const Line = ({
  line: { line, text, isRemark, severity, findings, destinations },
}: {
  readonly line: TextLine;
}) => (
  <li class={severity ?? ''}>
    <span class="at">
      {severity !== undefined && <span aria-hidden="true">{SIGN[severity]} </span>}
      {line}
    </span>
    <div class="what">
      <code class={isRemark ? 'muted' : ''}>{text}</code>
      <span class="leads">
        {destinations.slice(0, MOST_DESTINATIONS).map(({ address, traffic, node }) => (
          <span key={`${address} ${traffic} ${node}`}>
            {address} {traffic} <span class="muted">{node}</span>
          </span>
        ))}
        {destinations.length > MOST_DESTINATIONS && (
          <span class="muted">and {destinations.length - MOST_DESTINATIONS} others</span>
        )}
      </span>
      {findings.map((finding) => (
        <div key={JSON.stringify(finding)} class="said">
          <State state={finding.severity} title={finding.code} />
          <p>
            {finding.reason}
            <span class="muted"> · {finding.remedy}</span>
          </p>
        </div>
      ))}
    </div>
  </li>
);

function Denied({ name }: { readonly name: string }) {
  const denied = table('denied');
  const rows = useMemo(() => deniedFor(name, denied), [name, denied]);
  const isDenylist = controller.value?.denylist ?? false;
  return (
    <Panel title={isDenylist ? 'Denied, as it names it' : 'Denied without it'} count={rows.length}>
      {rows.length === 0 ? (
        <Empty>
          {isDenylist
            ? 'Nothing that it names was denied in the last hour.'
            : 'Nothing that it allows was denied in the last hour to containers that do not have it.'}
        </Empty>
      ) : (
        <Table
          caption="Denied to containers that do not have the key"
          columns={DENIED}
          rows={rows}
          idOf={(row) => `${row.container} ${placeOf(row)}`}
          name="denied"
          limit={50}
        />
      )}
    </Panel>
  );
}

const DENIED: readonly Column<DeniedRow>[] = [
  {
    ...{ id: 'destination', title: 'Destination', isMain: true },
    sort: placeOf,
    cell: (row) => <code>{placeOf(row)}</code>,
  },
  {
    ...{ id: 'container', title: 'Container', look: 'wide' },
    sort: ({ container }) => container,
    cell: ({ container }) => <a href={workloadPath(container)}>{container}</a>,
  },
  {
    ...{ id: 'packets', title: 'Packets', isNumber: true, look: 'fit' },
    sort: ({ packets }) => packets,
    cell: ({ packets }) => packets.toLocaleString('en-US'),
  },
  {
    ...{ id: 'last', title: 'Last seen', isNumber: true, look: 'fit' },
    sort: ({ lastSeenAt }) => lastSeenAt,
    cell: ({ lastSeenAt }) => <Time at={lastSeenAt} />,
  },
];
