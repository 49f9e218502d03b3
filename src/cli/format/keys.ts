/**
 * All keys of one direction, as text.
 */
import type { Direction } from '../../common/direction.ts';
import type { KeyUse } from '../../diagnostics/keys.ts';
import type { Style } from '../../format/style.ts';
import { count, list } from '../../format/values.ts';
import { type Column, table } from './table.ts';

/** The most workloads that are listed for a key. */
const MOST_HOLDERS = 4;

/** What differs between ACL keys and ingress keys. */
interface Words {
  readonly none: string;
  readonly destinations: string;
  readonly heldBy: string;
  readonly holder: string;
  readonly lint: string;
}

const WORDS: Readonly<Record<Direction, Words>> = {
  egress: {
    none: 'Consul has no ACL keys, and no workload here names one.',
    ...{ destinations: 'DESTINATIONS', heldBy: 'HELD BY', holder: 'workload', lint: 'egresstrator lint' },
  },
  ingress: {
    none: 'Consul has no ingress keys, and no container here names one.',
    ...{ destinations: 'CALLERS', heldBy: 'NAMED BY', holder: 'container' },
    lint: 'egresstrator lint --ingress',
  },
};

export function formatKeys(
  uses: readonly KeyUse[],
  unread: readonly string[],
  style: Style,
  direction: Direction = 'egress',
): string {
  const words = WORDS[direction];
  if (uses.length === 0) return words.none;
  const unknown = uses.every(({ heldBy }) => heldBy === undefined);
  const notes = [
    ...(uses.some(({ problems }) => problems.length > 0) ? [`For each problem: ${words.lint}`] : []),
    ...(unread.length > 0 ? [`Not read from Consul, and so not counted: ${list(unread)}.`] : []),
    ...(unknown ? [`${words.heldBy} is not known: neither a controller nor the Engine answers.`] : []),
  ];
  return [table(uses, columns(words, uses), style), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

const columns = (
  { destinations, heldBy: title, holder }: Words,
  uses: readonly KeyUse[],
): readonly Column<KeyUse>[] => [
  { title: 'KEY', text: ({ key }) => key },
  { title: 'RULES', text: ({ rules }) => String(rules), right: true },
  { title: destinations, text: (use) => String(use.destinations), right: true },
  ...(uses.some(({ names }) => names !== undefined) ? [NAMES] : []),
  { title: 'PROBLEMS', text: ({ problems }) => String(problems.length || '-'), right: true },
  {
    title,
    text: (use) => `${holders(use, holder)}${use.exists ? '' : '; not in Consul'}`,
    colour: ({ exists, heldBy }) => (exists ? (heldBy?.length === 0 ? 'yellow' : undefined) : 'red'),
  },
];

const NAMES: Column<KeyUse> = { title: 'NAMES', text: ({ names }) => String(names ?? '-'), right: true };

function holders({ heldBy }: KeyUse, holder: string): string {
  if (heldBy === undefined) return '-';
  if (heldBy.length === 0) return `no ${holder} here`;
  const more = heldBy.length - MOST_HOLDERS;
  return more > 0
    ? `${heldBy.slice(0, MOST_HOLDERS).join(', ')} and ${count(more, 'other')}`
    : heldBy.join(', ');
}
