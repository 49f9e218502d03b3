/**
 * What has happened, grouped by time, by what one wants to see. Pure.
 */
import { EVENT_KINDS, type EventKind, type TimelineEvent } from '../../../src/live/tables.ts';
import { matching } from '../../ui/rows.ts';

export interface EventRow extends TimelineEvent {
  /** Its number: it is the id of the row. */
  readonly id: string;
}

export interface EventFilter {
  /** A kind, `problems`, or empty: all. */
  readonly kind: string;
  readonly search: string;
}

export interface EventGroup {
  readonly title: string;
  readonly rows: readonly EventRow[];
}

/** How each kind is called on the screen. */
export const KIND_WORDS: Readonly<Record<EventKind, string>> = {
  controller: 'controller',
  key: 'key edited',
  workload: 'workload',
  load: 'load',
  repair: 'drift repair',
  source: 'source',
  override: 'override',
  host: 'host rules',
  template: 'template',
};

/** The newest first. */
export function eventRows(
  events: ReadonlyMap<string, TimelineEvent>,
  { kind, search }: EventFilter,
): readonly EventRow[] {
  const rows = [...events].map(([id, event]): EventRow => ({ ...event, id }));
  const chosen = rows.filter((one) =>
    kind === 'problems' ? one.isProblem === true : kind === '' || one.kind === kind,
  );
  return matching(chosen, search, textOf).toSorted(
    (one, other) => other.at - one.at || Number(other.id) - Number(one.id),
  );
}

const textOf = ({ kind, subject, text }: TimelineEvent): string => `${KIND_WORDS[kind]} ${subject} ${text}`;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** `now`: in ms since the epoch. `dayOf`: a date, by the clock of whoever looks. */
export function byTime(
  rows: readonly EventRow[],
  now: number,
  dayOf: (at: number) => string,
): readonly EventGroup[] {
  const today = dayOf(now);
  const titleOf = ({ at }: EventRow): string => {
    if (now - at < 5 * MINUTE) return 'In the last 5 minutes';
    if (now - at < HOUR) return 'In the last hour';
    const day = dayOf(at);
    return day === today ? 'Earlier today' : day;
  };
  return [...Map.groupBy(rows, titleOf)].map(([title, inside]) => ({ title, rows: inside }));
}

export interface KindCount {
  readonly kind: EventKind;
  readonly count: number;
}

/** Kinds of which there are events, in a fixed order. */
export function kindCounts(events: Iterable<TimelineEvent>): readonly KindCount[] {
  const counts = new Map<EventKind, number>();
  for (const { kind } of events) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return EVENT_KINDS.flatMap((kind) => {
    const count = counts.get(kind);
    return count === undefined ? [] : [{ kind, count }];
  });
}

/** Edits, loads and repairs of the last hour, and the slowest load, in a sentence's parts. */
export interface Activity {
  readonly edits: number;
  readonly loads: number;
  readonly repairs: number;
  /** In ms; undefined without a load that was measured. */
  readonly slowest: number | undefined;
}

export function activity(events: Iterable<TimelineEvent>, now: number): Activity {
  const recent = [...events].filter(({ at }) => now - at < HOUR);
  const number = (kind: EventKind) => recent.filter((one) => one.kind === kind).length;
  const taken = recent.flatMap(({ kind, took }) => (kind === 'load' && took !== undefined ? [took] : []));
  return {
    ...{ edits: number('key'), loads: number('load'), repairs: number('repair') },
    slowest: taken.length === 0 ? undefined : taken.reduce((one, other) => Math.max(one, other)),
  };
}
