/**
 * Which workloads gain or lose which destinations.
 */
import { useSignal } from '@preact/signals';
import type { ChangedRule, Diff } from '../../src/diagnostics/diff.ts';
import { workloadPath } from './router.ts';

/** The most of one kind for the same workloads, at first and when one wants to see more. */
const FIRST = 10;
const MOST = 200;
/** The most different changes. */
const MOST_CHANGES = 30;
/** The most workloads that are named. */
const MOST_NAMED = 12;

export const Changes = ({ changes }: { readonly changes: Diff['changes'] }) => (
  <ul class="changes">
    {changes.slice(0, MOST_CHANGES).map(({ workloads, gained, lost }) => (
      <li key={workloads.join(' ')}>
        <p class="tags">
          {workloads.slice(0, MOST_NAMED).map((name) => (
            <a key={name} class="tag" href={workloadPath(name)}>
              {name}
            </a>
          ))}
          {workloads.length > MOST_NAMED && (
            <span class="muted">and {workloads.length - MOST_NAMED} others</span>
          )}
        </p>
        <ul>
          <Rules rules={gained} kind="gained" />
          <Rules rules={lost} kind="lost" />
        </ul>
      </li>
    ))}
    {changes.length > MOST_CHANGES && (
      <li class="muted">… and {changes.length - MOST_CHANGES} more changes, for other workloads</li>
    )}
  </ul>
);

const SIGN = { gained: '+', lost: '−' } as const;

function Rules({
  rules,
  kind,
}: {
  readonly rules: readonly ChangedRule[];
  readonly kind: 'gained' | 'lost';
}) {
  const most = useSignal(FIRST);
  const rest = rules.length - most.value;
  return (
    <>
      {rules.slice(0, most.value).map(({ rule, partly }) => (
        <li key={rule} class={kind}>
          <span class="sign" aria-hidden="true">
            {SIGN[kind]}
          </span>
          <span class="unseen">{kind}: </span>
          <code>{rule}</code>
          {partly && <span class="muted">in part</span>}
        </li>
      ))}
      {rest > 0 && (
        <li class="muted">
          … and {rest.toLocaleString('en-US')} more {kind}
          {most.value < MOST && (
            <button
              type="button"
              class="plain"
              onClick={() => {
                most.value = MOST;
              }}
            >
              Show more
            </button>
          )}
        </li>
      )}
    </>
  );
}
