/**
 * What the screen of names says: a row for each workload, granted addresses, and names that were asked in vain. Pure.
 */

import type { DeniedNameRow } from '../../../src/diagnostics/denied-names.ts';
import type { NameCounts, NamesReport } from '../../../src/features/names/name-report.ts';
import { CAUSES } from '../../../src/format/explain-names.ts';
import type { LiveState } from '../../../src/live/state.ts';

export interface NamesRow {
  readonly id: string;
  readonly target: string;
  readonly state: NamesReport['state'];
  readonly reasons: readonly string[];
  /** Names that have addresses now, and these. */
  readonly names: number;
  readonly addresses: number;
  readonly asked: number;
  readonly answered: number;
  readonly denied: number;
  /** Messages and connections over a limit, and messages that were no question. */
  readonly dropped: number;
}

type Known = Pick<LiveState, 'names' | 'workloads'>;

/** What is wrong comes first. */
export const namesRows = ({ names, workloads }: Known): readonly NamesRow[] =>
  [...names]
    .map(([id, report]) => rowOf(id, workloads.get(id)?.target ?? id, report))
    .toSorted((one, other) => ORDER[one.state] - ORDER[other.state] || (one.target < other.target ? -1 : 1));

const ORDER: Readonly<Record<NamesReport['state'], number>> = { unavailable: 0, waiting: 1, answering: 2 };

const rowOf = (
  id: string,
  target: string,
  { state, reasons, grants, counts, dropped }: NamesReport,
): NamesRow => ({
  ...{ id, target, state, reasons: reasons },
  names: new Set(grants.map(({ name }) => name)).size,
  addresses: new Set(grants.map(({ address }) => address)).size,
  ...{ asked: counts.asked, answered: counts.answered, denied: deniedCount(counts) },
  dropped: dropped + counts.malformed,
});

const deniedCount = ({ denied }: NameCounts): number =>
  Object.values(denied).reduce((sum, number) => sum + number, 0);

/** A name with all of its addresses, in one workload. */
export interface GrantedRow {
  readonly id: string;
  readonly target: string;
  readonly name: string;
  readonly ports: string;
  readonly addresses: readonly string[];
  /** The last of its addresses ends then, in ms since the epoch. */
  readonly until: number;
}

/** `chosen`: one workload; empty: all of them. */
export const grantedRows = ({ names, workloads }: Known, chosen: string): readonly GrantedRow[] =>
  [...names].flatMap(([id, { grants }]) => {
    const target = workloads.get(id)?.target ?? id;
    if (chosen !== '' && chosen !== target) return [];
    const groups = Map.groupBy(grants, ({ name, ports }) => `${name} ${ports}`);
    return [...groups.values()].flatMap((all) => {
      const [first] = all;
      if (first === undefined) return [];
      return {
        ...{ id: `${id} ${first.name} ${first.ports}`, target },
        ...{ name: first.name, ports: first.ports },
        addresses: [...new Set(all.map(({ address }) => address))],
        until: Math.max(...all.map(({ until }) => until)),
      };
    });
  });

export const grantedText = ({ target, name, ports, addresses }: GrantedRow): string =>
  [target, name, ports, ...addresses].join(' ');

/** `in 4m`, `in 12s`; `ends now` once it is over. */
export function leftText(until: number, now: number): string {
  const seconds = Math.ceil((until - now) / 1000);
  if (seconds <= 0) return 'ends now';
  if (seconds < 120) return `in ${seconds}s`;
  if (seconds < 7200) return `in ${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `in ${Math.floor(seconds / 3600)}h` : `in ${Math.floor(seconds / 86_400)}d`;
}

export const whyText = ({ cause, reason }: Pick<DeniedNameRow, 'cause' | 'reason'>): string =>
  reason ?? CAUSES[cause];

export const deniedNameText = (row: DeniedNameRow): string =>
  [row.container, row.name, whyText(row), ...row.types, ...row.keys].join(' ');

/** Those of the chosen workload, the latest first. */
export const deniedNamesOf = (rows: Iterable<DeniedNameRow>, chosen: string): readonly DeniedNameRow[] =>
  [...rows]
    .filter(({ container }) => chosen === '' || container === chosen)
    .toSorted((one, other) => other.lastSeenAt - one.lastSeenAt || (one.name < other.name ? -1 : 1));

/** One sentence about all of them. */
export function summaryOf(rows: readonly NamesRow[]): string {
  if (rows.length === 0) return 'No workload has rules by name, so no names are answered here.';
  const out = rows.filter(({ state }) => state === 'unavailable').length;
  if (out > 0)
    return `The names of ${out} of ${workloads(rows.length)} cannot be answered: rules by name grant nothing there.`;
  const waiting = rows.filter(({ state }) => state === 'waiting').length;
  if (waiting > 0)
    return `The names of ${waiting} of ${workloads(rows.length)} will be answered in a moment.`;
  return `The names of ${workloads(rows.length)} are answered, and only those that rules are about.`;
}

const workloads = (number: number): string => (number === 1 ? '1 workload' : `${number} workloads`);
