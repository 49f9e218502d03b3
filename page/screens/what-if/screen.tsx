/**
 * What would change by a new text of a key: for lint, for each workload, and of what is denied. Nothing is written: the
 * result is commands.
 */
import { signal, useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { diffSummary } from '../../../src/format/diff.ts';
import { DENYLIST_NOTE } from '../../../src/format/values.ts';
import { serviceName } from '../../../src/inventory/service.ts';
import { servicesOf } from '../../../src/policy/compile.ts';
import { controller, hasState, table } from '../../live/store.ts';
import type { TextAnswer } from '../../rules/answers.ts';
import {
  diffFileCommand,
  diffTextCommand,
  hasCommands,
  type KeyPlace,
  putTextCommand,
} from '../../rules/commands.ts';
import { endedBy } from '../../rules/ended.ts';
import { useAnswer } from '../../rules/use-answer.ts';
import { Changes } from '../../ui/changes.tsx';
import { Editor } from '../../ui/editor.tsx';
import { Ended } from '../../ui/ended.tsx';
import { Findings } from '../../ui/findings.tsx';
import { severities } from '../../ui/gutter.ts';
import { Icon } from '../../ui/icon.tsx';
import { LongCommand } from '../../ui/long-command.tsx';
import { Button, Heading, Panel } from '../../ui/panel.tsx';
import { queryOf, setQuery } from '../../ui/router.ts';
import { TextDiff } from '../../ui/text-diff.tsx';
import { Empty, Loading, Note } from '../../ui/texts.tsx';
import { type Draft, draftState, followed, newDraft } from './draft.ts';

/** Texts that were begun, by key and by what one came to add. They last as long as the page. */
const drafts = signal<ReadonlyMap<string, Draft>>(new Map());

const keep = (id: string, draft: Draft): void => {
  drafts.value = new Map([...drafts.value, [id, draft]]);
};

export default function WhatIfScreen() {
  if (!hasState.value) return <Loading />;
  const key = queryOf('key');
  return (
    <>
      <Heading
        title="What if"
        lead="Edit a key and see what would change, before it is stored. Nothing is written from here: the result is a command to copy."
        command={diffFileCommand({ key, direction: directionIn() })}
      />
      <KeyChoice />
      {key === '' ? (
        <Choose />
      ) : (
        <Trial key={`${directionIn()} ${key}`} name={key} direction={directionIn()} add={queryOf('add')} />
      )}
    </>
  );
}

/** The most keys that are listed to choose from. */
const MOST_KEYS = 60;

function Choose() {
  const add = queryOf('add');
  const names = [...textsOf(directionIn()).keys()].toSorted();
  return (
    <div class="stack">
      <Empty>
        {add === ''
          ? 'Choose a key, or type the name of a new one.'
          : `Choose the key that ${add} would go to, or type the name of a new one.`}
      </Empty>
      <div class="choices">
        {names.slice(0, MOST_KEYS).map((name) => (
          <button key={name} type="button" class="chip" onClick={() => setQuery({ key: name })}>
            {name}
          </button>
        ))}
      </div>
    </div>
  );
}

const directionIn = (): Direction => (queryOf('in') === 'ingress' ? 'ingress' : 'egress');

const textsOf = (direction: Direction) => table(direction === 'egress' ? 'keys' : 'ingressKeys');

function KeyChoice() {
  const direction = directionIn();
  const names = [...textsOf(direction).keys()].toSorted();
  return (
    <div class="filters what-if">
      <label class="field">
        <span>Key</span>
        <input
          type="text"
          list="key-names"
          value={queryOf('key')}
          placeholder="db"
          spellcheck={false}
          autocomplete="off"
          onChange={({ currentTarget }) => setQuery({ key: currentTarget.value.trim() })}
        />
        <datalist id="key-names">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </label>
      <label class="field">
        <span>Kind</span>
        <span class="select">
          <select
            value={direction}
            onChange={({ currentTarget }) =>
              setQuery({ key: '', add: '', in: currentTarget.value === 'ingress' ? 'ingress' : '' })
            }
          >
            <option value="egress">ACL key: what workloads may reach</option>
            <option value="ingress">ingress key: who may call</option>
          </select>
          <Icon name="down" />
        </span>
      </label>
    </div>
  );
}

/** The most that are listed. */
const MOST_FINDINGS = 100;

function Trial({
  name,
  direction,
  add,
}: {
  readonly name: string;
  readonly direction: Direction;
  readonly add: string;
}) {
  const present = textsOf(direction).get(name)?.text;
  const id = JSON.stringify([direction, name, add]);
  const draft = followed(drafts.value.get(id) ?? newDraft(present ?? '', add), present ?? '');
  const answer = useAnswer({ key: name, text: draft.text, direction });
  const marks = useMemo(() => severities(answer?.findings ?? []), [answer]);
  const folder = controller.value?.[direction === 'egress' ? 'kvPath' : 'ingressPath'] ?? '';
  const place: KeyPlace = { key: name, direction, folder };
  return (
    <div class="trial">
      <div class="stack">
        <Panel title="Text" tools={<TextState {...{ draft, present, id }} />}>
          <Meanwhile {...{ draft, present: present ?? '', id }} />
          <Editor
            label={`The text of ${name}`}
            text={draft.text}
            marks={marks}
            onText={(text) => keep(id, { base: draft.base, text })}
          />
        </Panel>
        <Panel title="Findings" count={answer?.findings.length}>
          {answer === undefined ? (
            <Loading what="lint" />
          ) : answer.findings.length === 0 ? (
            <Empty>No findings.</Empty>
          ) : (
            <Findings findings={answer.findings.slice(0, MOST_FINDINGS)} hasPlace={false} />
          )}
          {answer !== undefined && answer.findings.length > MOST_FINDINGS && (
            <p class="more">… and {answer.findings.length - MOST_FINDINGS} more</p>
          )}
        </Panel>
      </div>
      <div class="stack">
        <Result {...{ name, direction, answer }} />
        <Commands {...{ place, draft, present: present ?? '' }} />
      </div>
    </div>
  );
}

function TextState({
  draft,
  present,
  id,
}: {
  readonly draft: Draft;
  readonly present: string | undefined;
  readonly id: string;
}) {
  if (present === undefined) return <span class="muted">Consul does not have this key yet</span>;
  if (draftState(draft, present) === 'same') return <span class="muted">as in Consul</span>;
  return (
    <span class="buttons">
      <span class="muted">edited</span>
      <Button onPress={() => keep(id, { base: present, text: present })}>Back to the text in Consul</Button>
    </span>
  );
}

/** Somebody else has edited the key since. */
function Meanwhile({
  draft,
  present,
  id,
}: {
  readonly draft: Draft;
  readonly present: string;
  readonly id: string;
}) {
  const isCompared = useSignal(false);
  if (draftState(draft, present) !== 'conflict') return null;
  return (
    <div class="meanwhile" role="status">
      <Note tone="warn">
        The key was edited in Consul since you began. Storing your text would undo that edit.
      </Note>
      <div class="filters">
        <Button
          isPressed={isCompared.value}
          onPress={() => {
            isCompared.value = !isCompared.value;
          }}
        >
          Compare
        </Button>
        <Button onPress={() => keep(id, { base: present, text: present })}>Take the text in Consul</Button>
        <Button onPress={() => keep(id, { base: present, text: draft.text })}>Keep mine</Button>
      </div>
      {isCompared.value && (
        <>
          <h3>From the text in Consul to yours</h3>
          <TextDiff before={present} after={draft.text} />
        </>
      )}
    </div>
  );
}

function Result({
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

function Commands({
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
