/**
 * How a text that was begun stands to the one in Consul, which somebody else may have edited since.
 */

import { useSignal } from '@preact/signals';
import { Button } from '../../ui/panel.tsx';
import { TextDiff } from '../../ui/text-diff.tsx';
import { Note } from '../../ui/texts.tsx';
import { type Draft, draftState } from './draft.ts';
import { keep } from './drafts.ts';

export function TextState({
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
export function Meanwhile({
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
