/**
 * What the screen of denied traffic shows: which rows, why they were denied, and what a frozen view has missed. Pure.
 */
import { type DeniedRow, placeOf } from '../../../src/diagnostics/denied-answer.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { DeniedEntry, DeniedRecordEntry, WorkloadEntry } from '../../../src/live/tables.ts';
import { matching } from '../../ui/rows.ts';

export interface ShownRow extends DeniedEntry {
  /** It passed: the container is in audit mode. */
  readonly passed: boolean;
  readonly why: string;
}

type Tables = Pick<LiveState, 'denied' | 'workloads'>;

export interface DeniedFilter {
  readonly container: string;
  readonly search: string;
  /** `denied`, `passed`, or empty: both. */
  readonly mode: string;
}

export function deniedRows(
  { denied, workloads }: Tables,
  { container, search, mode }: DeniedFilter,
  isDenylist: boolean,
): readonly ShownRow[] {
  const byTarget = new Map([...workloads.values()].map((one) => [one.target, one]));
  const chosen = [...denied.values()].filter((row) => container === '' || row.container === container);
  const rows = matching(chosen, search, textOf).map((row) =>
    shownRow(row, byTarget.get(row.container), isDenylist),
  );
  return mode === '' ? rows : rows.filter(({ passed }) => passed === (mode === 'passed'));
}

const textOf = (row: DeniedRow): string =>
  [row.container, placeOf(row), ...row.services, ...row.keys].join(' ');

const shownRow = (
  row: DeniedEntry,
  workload: Pick<WorkloadEntry, 'mode' | 'grants'> | undefined = row.ended,
  isDenylist = false,
): ShownRow => ({
  ...row,
  passed: workload?.mode === 'audit',
  why: whyOf(row, workload, isDenylist),
});

/** In a clause. */
export function whyOf(
  { services, keys }: Pick<DeniedRow, 'services' | 'keys'>,
  workload: Pick<WorkloadEntry, 'grants'> | undefined,
  isDenylist = false,
): string {
  const named = keys.length === 1 ? `key ${keys[0]}` : `keys ${keys.join(', ')}`;
  const verb = keys.length === 1 ? 'allows it, and is' : 'allow it, and are';
  if (keys.length > 0) return isDenylist ? `closed by ${named}, not granted` : `${named} ${verb} not granted`;
  if (workload?.grants.length === 0) return 'the container has no key';
  if (services.length > 0) return `no key of the container names ${services.join(', ')}`;
  return 'no line of its keys names this destination';
}

/** The containers that something was denied to, by name. */
export const containersOf = (
  ...tables: readonly Iterable<{ readonly container: string }>[]
): readonly string[] =>
  [...new Set(tables.flatMap((table) => [...table].map(({ container }) => container)))].toSorted(
    ORDER.compare,
  );

const ORDER = new Intl.Collator('en', { numeric: true });

/** How many rows are new, gone or different: unchanged ones are the same objects. */
export function changedSince(before: ReadonlyMap<string, object>, now: ReadonlyMap<string, object>): number {
  if (before === now) return 0;
  const other = [...now].filter(([id, row]) => before.get(id) !== row).length;
  const gone = [...before.keys()].filter((id) => !now.has(id)).length;
  return other + gone;
}

const HOUR = 3_600_000;

/** The shortest period of all records, in ms, which are of an hour at most. */
export function covered(records: Iterable<DeniedRecordEntry>): number {
  return [...records].reduce((shortest, { covers = HOUR }) => Math.min(shortest, covers), HOUR);
}
