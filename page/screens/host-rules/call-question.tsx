/**
 * "Can ___ call ___?": asked of the controller, as `explain --in` does. The question stands in the query.
 */
import { useSignal, useSignalEffect } from '@preact/signals';
import { useId } from 'preact/hooks';
import type { CallerAnswer, ExplainInAnswer, WayAnswer } from '../../../src/diagnostics/explain-in.ts';
import type { HostAnswer } from '../../../src/diagnostics/host-view.ts';
import { ask } from '../../live/ask.ts';
import { table } from '../../live/store.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Panel } from '../../ui/panel.tsx';
import { place, queryOf, setQuery } from '../../ui/router.ts';
import { State } from '../../ui/state.tsx';
import { Note } from '../../ui/texts.tsx';
import { type CallQuestion, explainCommand, knownContainers } from './model.ts';

export function CallQuestionPanel({ host }: { readonly host: HostAnswer }) {
  const question = asked();
  return (
    <Panel
      title="Can it call?"
      tools={
        question && (
          <CopyButton text={explainCommand(question)} label="the command that answers the same" isPlain>
            explain --in
          </CopyButton>
        )
      }
    >
      <QuestionForm host={host} />
      {question && <Answer key={JSON.stringify(question)} question={question} />}
    </Panel>
  );
}

/** Of the query; undefined unless it is complete. */
function asked(): CallQuestion | undefined {
  const [source, container, traffic] = [queryOf('from'), queryOf('to'), queryOf('at')];
  return source !== '' && container !== '' && traffic !== '' ? { source, container, traffic } : undefined;
}

function QuestionForm({ host }: { readonly host: HostAnswer }) {
  const names = useId();
  const { query } = place.value;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const word = (name: string) => String(form.get(name) ?? '').trim();
    setQuery({ from: word('from'), to: word('to'), at: word('at') });
  };
  const ingress = [...table('ingress').values()].map(({ target }) => target);
  return (
    <form class="question" onSubmit={submit}>
      <label>
        <span>Can</span>
        <input
          name="from"
          required
          placeholder="198.51.100.7 or a service"
          defaultValue={query.get('from') ?? ''}
          spellcheck={false}
        />
      </label>
      <label>
        <span>call the container</span>
        <input
          name="to"
          required
          list={names}
          placeholder="web"
          defaultValue={query.get('to') ?? ''}
          spellcheck={false}
        />
      </label>
      <label>
        <span>at</span>
        <input
          name="at"
          required
          placeholder="tcp/80"
          defaultValue={query.get('at') ?? ''}
          spellcheck={false}
        />
      </label>
      <datalist id={names}>
        {knownContainers(host, ingress).map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <button type="submit" class="main">
        Ask
      </button>
    </form>
  );
}

function Answer({ question }: { readonly question: CallQuestion }) {
  const answer = useSignal<ExplainInAnswer | undefined>(undefined);
  const error = useSignal('');
  useSignalEffect(() => {
    const stop = new AbortController();
    ask<ExplainInAnswer>('/explain-in', { ...question }, stop.signal).then(
      (found) => {
        answer.value = found;
      },
      (reason: Error) => {
        if (reason.name !== 'AbortError') error.value = reason.message;
      },
    );
    return () => stop.abort();
  });
  return (
    <div class="call-answer" aria-live="polite">
      {error.value !== '' && <Note tone="warn">{error.value}</Note>}
      {answer.value !== undefined && <Ways answer={answer.value} />}
    </div>
  );
}

function Ways({ answer }: { readonly answer: ExplainInAnswer }) {
  const { source, callers } = answer;
  if (callers === undefined) return <OneCaller answer={answer} caller={answer} name={source} />;
  return (
    <>
      {callers.map((caller) => (
        <OneCaller
          key={`${caller.source} ${caller.node}`}
          {...{ answer, caller }}
          name={`${source} at ${caller.source} (${caller.node})`}
        />
      ))}
    </>
  );
}

const OneCaller = ({
  answer: { container, traffic },
  caller: { ways, passes },
  name,
}: {
  readonly answer: ExplainInAnswer;
  readonly caller: Pick<CallerAnswer, 'ways' | 'passes'>;
  readonly name: string;
}) => (
  <>
    <Note tone={passes ? 'good' : 'bad'}>
      {name} <strong>{passes ? 'can reach' : 'cannot reach'}</strong> {traffic} of {container}.
      {ways.length === 0 &&
        ` ${container} has no address of the caller's family, and no port of this host leads to ${traffic}.`}
    </Note>
    {ways.map((way) => (
      <Way key={way.to} way={way} />
    ))}
  </>
);

const Way = ({ way: { to, gates, passes } }: { readonly way: WayAnswer }) => (
  <div class="gates">
    <p>
      To <code>{to}</code>: {passes ? 'passes' : 'denied'}
    </p>
    <ol>
      {gates.map(({ gate, outcome, reason }) => (
        <li key={`${gate} ${reason}`}>
          <State state={outcome} />
          <span class="muted">{gate}</span>
          <span>{reason}</span>
        </li>
      ))}
    </ol>
  </div>
);
