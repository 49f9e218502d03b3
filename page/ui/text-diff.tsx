/**
 * Which lines of a text differ from another: signs before them, never a colour alone.
 */
import { type DiffLine, lineDiff, withContext } from '../rules/line-diff.ts';

const SIGN: Readonly<Record<DiffLine['kind'], string>> = { same: ' ', added: '+', removed: '−' };
const WORD: Readonly<Record<DiffLine['kind'], string>> = { same: '', added: 'added: ', removed: 'removed: ' };

/** The most lines that are shown. */
const MOST = 200;

export function TextDiff({ before, after }: { readonly before: string; readonly after: string }) {
  const lines = withContext(lineDiff(before, after));
  return (
    <ol class="text-diff">
      {lines.slice(0, MOST).map((line, at) =>
        line === undefined ? (
          <li key={at} class="gap">
            …
          </li>
        ) : (
          <li key={at} class={line.kind}>
            <span class="at">{line.line}</span>
            <span class="sign" aria-hidden="true">
              {SIGN[line.kind]}
            </span>
            <code>
              <span class="unseen">{WORD[line.kind]}</span>
              {line.text}
            </code>
          </li>
        ),
      )}
      {lines.length > MOST && <li class="gap">… and {lines.length - MOST} more</li>}
    </ol>
  );
}
