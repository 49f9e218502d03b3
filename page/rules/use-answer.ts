/**
 * The answer about a text while one types it: a moment after the last letter, by what is known then.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ServiceEntry } from '../../src/live/tables.ts';
import { ask } from '../live/ask.ts';
import { table } from '../live/store.ts';
import { answerTo, type KeyText, type TextAnswer } from './answers.ts';
import { remembering } from './services.ts';
import { snapshot } from './snapshot.ts';

/** Milliseconds without a letter. */
const PAUSE = 120;

const read = remembering(
  (name) => ask<ServiceEntry>('/services', { name }),
  () => performance.now(),
);

/** Undefined until the first answer about this key; then the last one, perhaps about the text before. */
export function useAnswer({ key, text, direction }: KeyText): TextAnswer | undefined {
  const answer = useSignal<TextAnswer | undefined>(undefined);
  const present = snapshot.value;
  const ingress = direction === 'ingress' ? table('ingress') : undefined;
  useEffect(() => {
    if (present === undefined) return;
    let isWanted = true;
    const start = async () => {
      const found = await answerTo({ key, text, direction }, { snapshot: present, ingress }, read);
      if (isWanted) answer.value = found;
    };
    const timer = setTimeout(start, answer.peek() === undefined ? 0 : PAUSE);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [key, text, direction, present, ingress]);
  const { question } = answer.value ?? {};
  return question?.key === key && question.direction === direction ? answer.value : undefined;
}
