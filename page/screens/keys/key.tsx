/**
 * One key: its text with findings in the margin, who holds it, and what was denied to those who do not.
 */
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { many } from '../../../src/format/values.ts';
import { controller, hasState } from '../../live/store.ts';
import { getCommand, hasCommands, type KeyPlace, lintKeyCommand } from '../../rules/commands.ts';
import { useAnswer } from '../../rules/use-answer.ts';
import { Command } from '../../ui/copy.tsx';
import { directionIn } from '../../ui/direction.ts';
import { Findings } from '../../ui/findings.tsx';
import { Icon } from '../../ui/icon.tsx';
import { Facts, Heading, Panel } from '../../ui/panel.tsx';
import { Tag } from '../../ui/state.tsx';
import { Empty, Loading, Trouble } from '../../ui/texts.tsx';
import type { Params } from '../screen.ts';
import { Denied } from './denied.tsx';
import { Holders } from './list.tsx';
import { textOf } from './model.ts';
import { Numbered } from './numbered.tsx';
import { viewIn } from './view.ts';

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
