/**
 * Findings of lint: the place, the reason, and the remedy.
 */
import type { ComponentChildren } from 'preact';
import type { Finding } from '../../src/diagnostics/finding.ts';
import { keyPath, workloadPath } from './router.ts';
import { State } from './state.tsx';

/** `hasPlace`: false where the key is clear already. */
export const Findings = ({
  findings,
  hasPlace = true,
}: {
  readonly findings: readonly Finding[];
  readonly hasPlace?: boolean;
}) => (
  <ul class="findings">
    {findings.map((finding) => (
      <li key={JSON.stringify(finding)}>
        <State state={finding.severity} title={finding.code} />
        <div>
          <p class="where">
            {hasPlace && placeOf(finding)}
            {finding.line !== undefined && <span> line {finding.line}</span>}
            {finding.text !== undefined && <code>{finding.text}</code>}
          </p>
          <p>{finding.reason}</p>
          <p class="remedy">{finding.remedy}</p>
        </div>
      </li>
    ))}
  </ul>
);

function placeOf({ key, container, direction }: Finding): ComponentChildren {
  if (key !== undefined && direction === undefined) return <a href={keyPath(key)}>key {key}</a>;
  if (key !== undefined) return `ingress key ${key}`;
  return container === undefined ? null : <a href={workloadPath(container)}>{container}</a>;
}
