/**
 * The changes by a new text of a key, as text.
 */
import type { Direction } from '../common/direction.ts';
import type { Change, ChangedRule, Diff } from '../diagnostics/diff.ts';
import type { Style } from './style.ts';
import { count, list } from './values.ts';

/** The most lines of one kind for the same workloads; --json lists all. */
const MOST_LINES = 50;

/** What holds a key of each direction, what it does to it, and what changes. */
const WORDS = {
  egress: { holder: 'workload', verb: ['has', 'have'], changed: (number) => `access of ${number} changes` },
  ingress: {
    ...{ holder: 'container', verb: ['names', 'name'] },
    changed: (number) => `the callers of ${number} change`,
  },
} satisfies Record<Direction, Words>;

interface Words {
  readonly holder: string;
  readonly verb: readonly [one: string, several: string];
  readonly changed: (number: number) => string;
}

export function formatDiff(
  key: string,
  { problems, changes, holders }: Diff,
  style: Style,
  direction: Direction = 'egress',
): string {
  const bad = problems.map(
    ({ severity, line, text, reason }) =>
      `${style(severity === 'error' ? 'red' : 'yellow', severity)}: line ${line ?? '?'}${text === undefined ? '' : ` (${text})`}: ${reason}`,
  );
  const summary = diffSummary(key, { changes, holders }, direction);
  return [...bad, ...changes.map((change) => formatChange(change, style)), summary].join('\n');
}

/** Who has the key, and for how many something changes, in a sentence. */
export function diffSummary(
  key: string,
  { changes, holders }: Pick<Diff, 'changes' | 'holders'>,
  direction: Direction = 'egress',
): string {
  const { holder, verb, changed }: Words = WORDS[direction];
  if (holders.length === 0) return `No running ${holder} ${verb[0]} ${key}.`;
  const affected = changes.flatMap(({ workloads }) => workloads).length;
  return `${count(holders.length, holder)} ${verb[holders.length === 1 ? 0 : 1]} ${key}; ${affected === 0 ? 'nothing changes' : changed(affected)}. Nothing was written.`;
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
