/**
 * What a text would change, and the commands that store it and ask the same.
 */
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { diffSummary } from '../../../src/format/diff.ts';
import { DENYLIST_NOTE } from '../../../src/format/values.ts';
import { serviceName } from '../../../src/inventory/service.ts';
import { servicesOf } from '../../../src/policy/compile.ts';
import { table } from '../../live/store.ts';
import type { TextAnswer } from '../../rules/answers.ts';
import { diffTextCommand, hasCommands, type KeyPlace, putTextCommand } from '../../rules/commands.ts';
import { endedBy } from '../../rules/ended.ts';
import { Changes } from '../../ui/changes.tsx';
import { Ended } from '../../ui/ended.tsx';
import { LongCommand } from '../../ui/long-command.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { type Draft, draftState } from './draft.ts';

export function Result({
  name,
  direction,
  answer,
}: {
  readonly name: string;
  readonly direction: Direction;
  readonly answer: TextAnswer | undefined;
}) {
  if (direction === 'ingress')
    return (
      <Panel title="Who could call">
        <Empty>
          Which addresses instances call from is known to the controller alone: the command below answers it.
        </Empty>
      </Panel>
    );
  if (answer?.diff === undefined) return <Loading what="the answer" />;
  const { diff } = answer;
  return (
    <>
      <Panel title="Access">
        <div class="access">
          {diff.denylist && <Note tone="watch">{DENYLIST_NOTE}</Note>}
          {unreadIn(answer).map((service) => (
            <Note key={service} tone="warn">
              service {service} could not be read, so its destinations are not known
            </Note>
          ))}
          <p class="soft">{diffSummary(name, diff)}</p>
          <Changes changes={diff.changes} />
        </div>
      </Panel>
      <Ends answer={answer} />
    </>
  );
}

/** Of all that could not be read, what this text or the present one names. */
function unreadIn({ parsed, snapshot: { acl, unread } }: TextAnswer): readonly string[] {
  const present = acl.get(parsed.key);
  const named = servicesOf(present === undefined ? [parsed] : [present, parsed]);
  return named.map(serviceName).filter((service) => unread.has(service));
}

function Ends({ answer }: { readonly answer: TextAnswer }) {
  const { parsed, snapshot } = answer;
  const [denied, deniedNames] = [table('denied'), table('deniedNames')];
  const ended = useMemo(
    () => endedBy(parsed, snapshot, { denied, deniedNames }),
    [parsed, snapshot, denied, deniedNames],
  );
  return (
    <Panel title="Denials it would end" count={ended.length}>
      {ended.length === 0 ? (
        <Empty>None of what was denied in the last hour.</Empty>
      ) : (
        <Ended ended={ended} caption="Denials it would end" />
      )}
    </Panel>
  );
}

export function Commands({
  place,
  draft,
  present,
}: {
  readonly place: KeyPlace;
  readonly draft: Draft;
  readonly present: string;
}) {
  return (
    <Panel title="Commands">
      <div class="steps">
        {!hasCommands(place) ? (
          <Empty>The key has a name that is unsafe on a command line.</Empty>
        ) : draftState(draft, present) === 'same' ? (
          <Empty>Consul has this text. Edit it, and the command that stores it appears here.</Empty>
        ) : (
          <>
            <h3>Store it</h3>
            <LongCommand
              text={putTextCommand(place, draft.text)}
              label="the command that stores it: consul kv put"
            />
            <h3>Ask the same on the command line</h3>
            <LongCommand text={diffTextCommand(place, draft.text)} label="the command that prints the diff" />
          </>
        )}
      </div>
    </Panel>
  );
}
