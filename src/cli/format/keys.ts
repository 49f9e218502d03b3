/**
 * All ACL keys, as text.
 */
import type { KeyUse } from '../../diagnostics/keys.ts';
import type { Style } from './style.ts';
import { type Column, table } from './table.ts';
import { count, list } from './values.ts';

/** The most workloads that are listed for a key. */
const MOST_HOLDERS = 4;

export function formatKeys(uses: readonly KeyUse[], unread: readonly string[], style: Style): string {
  if (uses.length === 0) return 'Consul has no ACL keys, and no workload here names one.';
  const unknown = uses.every(({ heldBy }) => heldBy === undefined);
  const notes = [
    ...(uses.some(({ problems }) => problems.length > 0) ? ['For each problem: egresstrator lint'] : []),
    ...(unread.length > 0 ? [`Not read from Consul, and so not counted: ${list(unread)}.`] : []),
    ...(unknown ? ['HELD BY is not known: neither a controller nor the Engine answers.'] : []),
  ];
  return [table(uses, COLUMNS, style), ...(notes.length > 0 ? ['', ...notes] : [])].join('\n');
}

const COLUMNS: readonly Column<KeyUse>[] = [
  { title: 'KEY', text: ({ key }) => key },
  { title: 'RULES', text: ({ rules }) => String(rules), right: true },
  { title: 'DESTINATIONS', text: ({ destinations }) => String(destinations), right: true },
  { title: 'PROBLEMS', text: ({ problems }) => String(problems.length || '-'), right: true },
  {
    title: 'HELD BY',
    text: (use) => (use.exists ? holders(use) : `${holders(use)}; not in Consul`),
    colour: ({ exists, heldBy }) => (exists ? (heldBy?.length === 0 ? 'yellow' : undefined) : 'red'),
  },
];

function holders({ heldBy }: KeyUse): string {
  if (heldBy === undefined) return '-';
  if (heldBy.length === 0) return 'no workload here';
  const more = heldBy.length - MOST_HOLDERS;
  return more > 0
    ? `${heldBy.slice(0, MOST_HOLDERS).join(', ')} and ${count(more, 'other')}`
    : heldBy.join(', ');
}
