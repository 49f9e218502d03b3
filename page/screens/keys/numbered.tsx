/**
 * The text of a key line by line: where each line leads, and what lint finds in it.
 */
import { useSignal } from '@preact/signals';
import { State } from '../../ui/state.tsx';
import type { TextLine } from './model.ts';

/** Lines that are shown at first. */
const MOST = 400;
/** Destinations that are shown of a line. */
const MOST_DESTINATIONS = 4;

const SIGN = { error: '×', warning: '!', info: 'i' } as const;

export function Numbered({ lines }: { readonly lines: readonly TextLine[] }) {
  const most = useSignal(MOST);
  return (
    <>
      <ol class="numbered">
        {lines.slice(0, most.value).map((line) => (
          <Line key={line.line} line={line} />
        ))}
      </ol>
      {lines.length > most.value && (
        <p class="more">
          The first {most.value.toLocaleString('en-US')} of {lines.length.toLocaleString('en-US')} lines are
          shown.
          <button
            type="button"
            class="small"
            onClick={() => {
              most.value += 4 * MOST;
            }}
          >
            Show more
          </button>
        </p>
      )}
    </>
  );
}

const Line = ({
  line: { line, text, isRemark, severity, findings, destinations },
}: {
  readonly line: TextLine;
}) => (
  <li class={severity ?? ''}>
    <span class="at">
      {severity !== undefined && <span aria-hidden="true">{SIGN[severity]} </span>}
      {line}
    </span>
    <div class="what">
      <code class={isRemark ? 'muted' : ''}>{text}</code>
      <span class="leads">
        {destinations.slice(0, MOST_DESTINATIONS).map(({ address, traffic, node }) => (
          <span key={`${address} ${traffic} ${node}`}>
            {address} {traffic} <span class="muted">{node}</span>
          </span>
        ))}
        {destinations.length > MOST_DESTINATIONS && (
          <span class="muted">and {destinations.length - MOST_DESTINATIONS} others</span>
        )}
      </span>
      {findings.map((finding) => (
        <div key={JSON.stringify(finding)} class="said">
          <State state={finding.severity} title={finding.code} />
          <p>
            {finding.reason}
            <span class="muted"> · {finding.remedy}</span>
          </p>
        </div>
      ))}
    </div>
  </li>
);
