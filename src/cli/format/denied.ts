/**
 * What was refused, for people.
 */

import type { DeniedFlow, DeniedReport } from '../../daemon/deny-log.ts';
import { fairOrder } from '../../reconciler/fair-order.ts';
import { type ContainerSummary, formatSummary } from './denied-record.ts';
import type { Style } from './style.ts';
import { type Column, table } from './table.ts';
import { ago, count, lately, many, NOBODY, sentence } from './values.ts';

/** A refused destination and what stands behind it. */
export interface DeniedRow extends DeniedFlow {
  readonly container: string;
  /** Services that are registered there, as rules would name them. */
  readonly services: readonly string[];
  /** Keys that are not granted and allow it. */
  readonly keys: readonly string[];
}

export interface Denied {
  readonly rows: readonly DeniedRow[];
  readonly unread: readonly { readonly container: string; readonly error: string }[];
  /** Containers where everything passes. */
  readonly audited: readonly string[];
  /** Packets in all, and whether the destinations are complete. */
  readonly records: readonly ContainerSummary[];
  /** Milliseconds of which it tells; undefined where nobody knows. */
  readonly covers: number | undefined;
  /** Why what was refused is not known; undefined where it is. */
  readonly silence: string | undefined;
  /** When each container's kernel was asked, in ms since the epoch. */
  readonly readAt: Readonly<Record<string, number>>;
}

/** Rows of one container that are shown to people. */
const MOST_ROWS = 100;

export function formatDenied(denied: Denied, now: number, paint: Style): string {
  const { rows, unread, audited, readAt, records } = denied;
  const shown = shownOf(rows);
  const parts = [
    rows.length === 0 ? nothing(denied) : table(shown, columns(now), paint),
    leftOut(rows, shown),
    ...records.map((one) => formatSummary(one, now, paint)),
    unread.map(({ container, error }) => `${paint('red', container)}: ${error}`).join('\n'),
    audited.length === 0 ? '' : `${audited.join(', ')}: audit mode, so these packets passed.`,
    ageOf(Object.values(readAt), now),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** Of each container the first so many in a fair order, sorted as they were. */
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

/** Where some were too many to be read at once; see `RefusalLog`. */
function ageOf(readAt: readonly number[], now: number): string {
  const old = readAt.filter((at) => now - at > FRESH);
  if (old.length === 0) return '';
  const age = ago(Math.min(...old), now);
  return `${old.length} of ${count(readAt.length, 'container')} were read up to ${age}; name one to read it now.`;
}

/** Milliseconds for which an answer counts as one of now. */
const FRESH = 5_000;

const nothing = ({ silence, covers, records, unread, readAt }: Denied): string => {
  if (silence !== undefined) return sentence(silence);
  const asked = Object.keys(readAt).length;
  if (asked === 0) return sentence(NOBODY);
  if (unread.length === asked) return '';
  const isEmpty = records.every(({ frames, fullAt }) => frames === 0 && fullAt === undefined);
  return isEmpty ? `Nothing was denied ${lately(covers)}.` : '';
};

/** One line, for --follow. */
export const formatOne = ({ container, services, keys, ...refusal }: DeniedRow, time: string): string => {
  const behind = [...services, ...keys.map((key) => `key ${key}`)].join(', ');
  return `${time} ${container} ${placeOf(refusal)}${behind === '' ? '' : ` (${behind})`}`;
};

export const deniedFrom = (
  reports: readonly DeniedReport[],
  behind: (report: DeniedReport, refusal: DeniedFlow) => Pick<DeniedRow, 'services' | 'keys'>,
  silence?: string,
): Denied => ({
  silence,
  records: reports.flatMap(({ container, summary }) =>
    summary === undefined ? [] : { container, ...summary },
  ),
  covers: coveredBy(reports),
  readAt: Object.fromEntries(reports.map((one) => [one.container, one.readAt])),
  rows: reports.flatMap((report) =>
    report.refusals
      .toSorted((a, b) => b.packets - a.packets || (placeOf(a) < placeOf(b) ? -1 : 1))
      .map((refusal) => ({ container: report.container, ...refusal, ...behind(report, refusal) })),
  ),
  unread: reports.flatMap(({ container, error }) => (error === undefined ? [] : [{ container, error }])),
  audited: reports
    .filter(({ mode, refusals }) => mode === 'audit' && refusals.length > 0)
    .map((one) => one.container),
});

/** The shortest time that a report covers. */
export const coveredBy = (reports: readonly DeniedReport[]): number | undefined => {
  const known = reports.flatMap(({ covers }) => covers ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
};

const placeOf = ({ address, protocol, port }: Pick<DeniedFlow, 'address' | 'protocol' | 'port'>): string =>
  `${address} ${protocol}${port === undefined ? '' : `/${port}`}`;

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
