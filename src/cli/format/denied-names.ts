/**
 * Names that were asked in vain, as text.
 */
import type { DeniedNameRow } from '../../diagnostics/denied-names.ts';
import { CAUSES } from '../../format/explain-names.ts';
import type { Style } from '../../format/style.ts';
import { ago, count, many } from '../../format/values.ts';
import { type Column, table } from './table.ts';

/** The most rows of all containers. */
const MOST_ROWS = 100;

/** Empty if there are none. */
export const formatDeniedNames = (rows: readonly DeniedNameRow[], now: number, style: Style): string => {
  if (rows.length === 0) return '';
  const left = rows.length - MOST_ROWS;
  const more = left > 0 ? `\n… and ${many(left, 'more name')}; --json lists all.` : '';
  return `${table(rows.slice(0, MOST_ROWS), columns(now), style)}${more}`;
};

/** One line, for --follow. */
export const formatOneName = ({ container, name, cause, reason }: DeniedNameRow, time: string): string =>
  `${time} ${container} ${name} (${reason ?? CAUSES[cause]})`;

const columns = (now: number): readonly Column<DeniedNameRow>[] => [
  { title: 'CONTAINER', text: ({ container }) => container },
  { title: 'NAME', text: ({ name }) => name, colour: () => 'red' },
  { title: 'ASKED', text: ({ count: times }) => count(times, 'time'), right: true },
  { title: 'LAST SEEN', text: ({ lastSeenAt }) => ago(lastSeenAt, now) },
  { title: 'TYPE', text: ({ types }) => types.join(', ') },
  { title: 'WHY', text: ({ cause, reason }) => reason ?? CAUSES[cause] },
  { title: 'ALLOWED BY KEY', text: ({ keys }) => keys.join(', ') || '-' },
];
