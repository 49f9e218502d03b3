/**
 * The changes by a new text of a key, as text.
 */
import type { Change, ChangedRule, Diff } from '../../diagnostics/diff.ts';
import type { Style } from './style.ts';
import { count, list } from './values.ts';

/** The most lines of one kind for the same workloads; --json lists all. */
const MOST_LINES = 50;

export function formatDiff(key: string, { problems, changes, holders }: Diff, style: Style): string {
  const bad = problems.map(
    ({ severity, line, text, reason }) =>
      `${style(severity === 'error' ? 'red' : 'yellow', severity)}: line ${line ?? '?'}${text === undefined ? '' : ` (${text})`}: ${reason}`,
  );
  const affected = changes.flatMap(({ workloads }) => workloads).length;
  const summary =
    holders.length === 0
      ? `No running workload has ${key}.`
      : `${count(holders.length, 'workload')} ${holders.length === 1 ? 'has' : 'have'} ${key}; ${affected === 0 ? 'nothing changes' : `access of ${affected} changes`}. Nothing was written.`;
  return [...bad, ...changes.map((change) => formatChange(change, style)), summary].join('\n');
}

const formatChange = ({ workloads, gained, lost }: Change, style: Style): string =>
  [
    `${list(workloads)}:`,
    ...ruleLines(gained, (text) => style('green', `  + ${text}`)),
    ...ruleLines(lost, (text) => style('red', `  - ${text}`)),
    '',
  ].join('\n');

function ruleLines(all: readonly ChangedRule[], print: (text: string) => string): readonly string[] {
  const shown = all
    .slice(0, MOST_LINES)
    .map(({ rule, partly }) => print(partly ? `${rule}  (in part)` : rule));
  const more = all.length - shown.length;
  return more === 0 ? shown : [...shown, print(`… and ${more} more; --json lists all`)];
}
