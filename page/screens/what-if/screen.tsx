/**
 * What would change by a new text of a key: for lint, for each workload, and of what is denied. Nothing is written: the
 * result is commands.
 */
import { useMemo } from 'preact/hooks';
import type { Direction } from '../../../src/common/direction.ts';
import { controller, hasState } from '../../live/store.ts';
import { diffFileCommand, type KeyPlace } from '../../rules/commands.ts';
import { useAnswer } from '../../rules/use-answer.ts';
import { directionIn } from '../../ui/direction.ts';
import { Editor } from '../../ui/editor.tsx';
import { Findings } from '../../ui/findings.tsx';
import { severities } from '../../ui/gutter.ts';
import { Heading, Panel } from '../../ui/panel.tsx';
import { queryOf } from '../../ui/router.ts';
import { Empty, Loading } from '../../ui/texts.tsx';
import { followed, newDraft } from './draft.ts';
import { Meanwhile, TextState } from './draft-state.tsx';
import { drafts, keep, textsOf } from './drafts.ts';
import { Choose, KeyChoice } from './key-choice.tsx';
import { Commands, Result } from './result.tsx';

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
