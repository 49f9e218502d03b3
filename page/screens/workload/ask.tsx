/**
 * "Can it reach …?": asks the controller as the command does, and says the same.
 */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { shellWord } from '../../../src/common/text.ts';
import type { ExplainAnswer } from '../../../src/diagnostics/explain-answer.ts';
import { ask } from '../../live/ask.ts';
import { table } from '../../live/store.ts';
import { Command } from '../../ui/copy.tsx';
import { useLazy } from '../../ui/lazy.ts';
import { Panel } from '../../ui/panel.tsx';
import { Question } from '../../ui/question.tsx';
import { queryOf } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { Trouble } from '../../ui/texts.tsx';
import { parseQuestion } from './model.ts';

type Answer =
  | { readonly kind: 'none' }
  | { readonly kind: 'answer'; readonly answer: ExplainAnswer }
  | { readonly kind: 'error'; readonly message: string };

/** `fingerprint`: of the loaded rules. */
export function Ask({
  container,
  fingerprint,
}: {
  readonly container: string;
  readonly fingerprint: string | undefined;
}) {
  const asked = queryOf('ask');
  return (
    <Panel title="Can it reach …?">
      <div class="ask">
        <Question
          name="ask"
          label="An address, a service or a name, and protocol and port"
          placeholder="10.0.3.7 tcp/8443, or a service, or api.example.com tcp/443"
          button="Ask"
        />
        {asked !== '' && <Answered {...{ container, fingerprint, asked }} />}
      </div>
    </Panel>
  );
}

function Answered({
  container,
  fingerprint,
  asked,
}: {
  readonly container: string;
  readonly fingerprint: string | undefined;
  readonly asked: string;
}) {
  const answer = useSignal<Answer>({ kind: 'none' });
  const { target, traffic } = parseQuestion(asked);
  // It is asked again when rules or services change, and when rules are loaded.
  useEffect(() => {
    const stop = new AbortController();
    ask<ExplainAnswer>('/explain', { container, target, traffic }, stop.signal).then(
      (found) => {
        answer.value = { kind: 'answer', answer: found };
      },
      (error: unknown) => {
        if (stop.signal.aborted) return;
        answer.value = { kind: 'error', message: error instanceof Error ? error.message : String(error) };
      },
    );
    return () => stop.abort();
  }, [container, target, traffic, table('keys'), table('services'), fingerprint]);
  const words = ['egresstrator', 'explain', container, target, ...(traffic === undefined ? [] : [traffic])];
  return (
    <>
      <div class="answers" aria-live="polite">
        {answer.value.kind === 'error' && <Trouble>{answer.value.message}</Trouble>}
        {answer.value.kind === 'answer' && <Explanations answer={answer.value.answer} />}
      </div>
      <Command text={words.map(shellWord).join(' ')} />
    </>
  );
}

const load = () => import('../../rules/explained.ts');

function Explanations({ answer }: { readonly answer: ExplainAnswer }) {
  const rules = useLazy(load);
  if (rules === undefined) return null;
  return (
    <>
      {rules.explained(answer).map(({ state, answer: first, why }) => (
        <div key={first} class="answer">
          <State state={state} />
          <p>
            <strong>{first}</strong>
            {why !== '' && `\n${why}`}
          </p>
        </div>
      ))}
    </>
  );
}
