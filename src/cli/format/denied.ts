/**
 * Denied destinations, as text.
 */

import { type DeniedAnswer, type DeniedRow, placeOf } from '../../diagnostics/denied-answer.ts';
import { formatSummary } from '../../format/denied-record.ts';
import type { Style } from '../../format/style.ts';
import { ago, count, inPeriod, many, NO_RULES, sentence } from '../../format/values.ts';
import { fairOrder } from '../../inventory/fair-order.ts';
import { formatDeniedNames } from './denied-names.ts';
import { type Column, table } from './table.ts';

/** The most rows for one container. */
const MOST_ROWS = 100;

export function formatDenied(denied: DeniedAnswer, now: number, style: Style): string {
  const { rows, names = [], unread, audited, readAt, records } = denied;
  const shown = shownOf(rows);
  const parts = [
    rows.length === 0 ? nothing(denied) : table(shown, columns(now), style),
    leftOut(rows, shown),
    formatDeniedNames(names, now, style),
    ...records.map((one) => formatSummary(one, now, style)),
    unread.map(({ container, error }) => `${style('red', container)}: ${error}`).join('\n'),
    audited.length === 0 ? '' : `${audited.join(', ')}: audit mode, so these packets passed.`,
    ageOf(Object.values(readAt), now),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The first rows of each container in a fair order, sorted as before. */
function shownOf(rows: readonly DeniedRow[]): readonly DeniedRow[] {
  const groups = Map.groupBy(rows, ({ container }) => container);
  const chosen = new Set([...groups.values()].flatMap((group) => fairOrder(group).slice(0, MOST_ROWS)));
  return rows.filter((row) => chosen.has(row));
}

function leftOut(rows: readonly DeniedRow[], shown: readonly DeniedRow[]): string {
  const left = Map.groupBy(new Set(rows).difference(new Set(shown)), ({ container }) => container);
  return [...left]
    .map(([container, group]) => `${container}: ${many(group.length, 'more destination')}; --json lists all.`)
    .join('\n');
}

/** The age of the oldest records, if not all could be read at once; see `DenyLog`. */
function ageOf(readAt: readonly number[], now: number): string {
  const old = readAt.filter((at) => now - at > FRESH);
  if (old.length === 0) return '';
  const age = ago(Math.min(...old), now);
  return `${old.length} of ${count(readAt.length, 'container')} were read up to ${age}; name one to read it now.`;
}

/** Milliseconds for which a record counts as current. */
const FRESH = 5_000;

const nothing = (answer: DeniedAnswer): string => {
  const { unavailableReason, covers, records, unread, readAt } = answer;
  if (unavailableReason !== undefined) return sentence(unavailableReason);
  const asked = Object.keys(readAt).length;
  if (asked === 0) return sentence(NO_RULES);
  if (unread.length === asked) return '';
  if ((answer.names ?? []).length > 0) return '';
  const isEmpty = records.every(({ frames, fullAt }) => frames === 0 && fullAt === undefined);
  return isEmpty ? `Nothing was denied ${inPeriod(covers)}.` : '';
};

/** One line, for --follow. */
export const formatOne = ({ container, services, keys, ...destination }: DeniedRow, time: string): string => {
  const behind = [...services, ...keys.map((key) => `key ${key}`)].join(', ');
  return `${time} ${container} ${placeOf(destination)}${behind === '' ? '' : ` (${behind})`}`;
};

const columns = (now: number): readonly Column<DeniedRow>[] => [
  { title: 'CONTAINER', text: ({ container }) => container },
  { title: 'DESTINATION', text: ({ address }) => address, colour: () => 'red' },
  { title: 'PORT', text: ({ protocol, port }) => (port === undefined ? protocol : `${protocol}/${port}`) },
  { title: 'PACKETS', text: ({ packets }) => String(packets), right: true },
  { title: 'FIRST SEEN', text: ({ firstSeenAt }) => ago(firstSeenAt, now) },
  { title: 'LAST SEEN', text: ({ lastSeenAt }) => ago(lastSeenAt, now) },
  { title: 'SERVICE', text: ({ services }) => services.join(', ') || '-' },
  { title: 'ALLOWED BY KEY', text: ({ keys }) => keys.join(', ') || '-' },
];
