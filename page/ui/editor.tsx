/**
 * A field for a text of lines with their numbers, which scroll along, and signs where something is to say.
 */
import { useMemo, useRef } from 'preact/hooks';
import type { Severity } from '../../src/diagnostics/finding.ts';
import { gutterParts } from './gutter.ts';

export function Editor({
  label,
  text,
  marks,
  onText,
}: {
  readonly label: string;
  readonly text: string;
  readonly marks: ReadonlyMap<number, Severity>;
  readonly onText: (text: string) => void;
}) {
  const gutter = useRef<HTMLPreElement>(null);
  const lines = useMemo(() => text.split('\n').length, [text]);
  const parts = useMemo(() => gutterParts(lines, marks), [lines, marks]);
  return (
    <div class="editor">
      <pre class="gutter" aria-hidden="true" ref={gutter}>
        {parts.map(({ severity, text: numbers }) =>
          severity === undefined ? numbers : <span class={severity}>{numbers}</span>,
        )}
      </pre>
      <textarea
        aria-label={label}
        value={text}
        wrap="off"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={({ currentTarget }) => onText(currentTarget.value)}
        onScroll={({ currentTarget }) => {
          if (gutter.current !== null) gutter.current.scrollTop = currentTarget.scrollTop;
        }}
      />
    </div>
  );
}
