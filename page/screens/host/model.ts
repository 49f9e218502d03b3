/**
 * What the host's screen shows: its rows, their groups, how many are in each state, and all of it in a sentence. Pure.
 */
import type { Problem } from '../../../src/common/problem.ts';
import { list, many } from '../../../src/format/values.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { SourceEntry, WithoutRules, WorkloadEntry } from '../../../src/live/tables.ts';
import { lookOf, type Tone, urgencyOf } from '../../ui/state-looks.ts';

/** A workload, or a container that has no rules. */
export interface HostRow {
  readonly name: string;
  readonly project: string;
  /** Of its namespace; `unsupported` or `not enabled` without rules. */
  readonly state: string;
  /** Others in the same namespace. */
  readonly others: readonly string[];
  readonly grants: readonly string[];
  readonly hasRawSockets: boolean;
  readonly verifiedAt?: number | undefined;
  /** False: there is no screen of it. */
  readonly hasRules: boolean;
  /** Denied in the last hour. */
  readonly destinations: number;
  readonly packets: number;
  /** What is wrong, in a clause. */
  readonly problem?: string | undefined;
}

type Tables = Pick<LiveState, 'workloads' | 'unsupported' | 'notEnabled' | 'denied'>;

/** What is wrong first, and then by name. */
export function hostRows({ workloads, unsupported, notEnabled, denied }: Tables): readonly HostRow[] {
  const counts = deniedCounts(denied);
  const rows = [
    ...[...workloads.values()].map((one) => rowOf(one, counts)),
    ...[...unsupported.values()].map((one) => withoutRules(one, 'unsupported')),
    ...[...notEnabled.values()].map((one) => withoutRules(one, 'not enabled')),
  ];
  return rows.toSorted(
    (one, other) => urgencyOf(one.state) - urgencyOf(other.state) || ORDER.compare(one.name, other.name),
  );
}

const ORDER = new Intl.Collator('en', { numeric: true });

interface Denials {
  destinations: number;
  packets: number;
}

function deniedCounts(denied: LiveState['denied']): ReadonlyMap<string, Denials> {
  const counts = new Map<string, Denials>();
  for (const { container, packets } of denied.values()) {
    const known = counts.get(container);
    if (known === undefined) counts.set(container, { destinations: 1, packets });
    else {
      known.destinations += 1;
      known.packets += packets;
    }
  }
  return counts;
}

const NONE: Denials = { destinations: 0, packets: 0 };

const rowOf = (one: WorkloadEntry, counts: ReadonlyMap<string, Denials>): HostRow => ({
  ...{ name: one.target, project: one.project ?? '', state: one.state, grants: one.grants },
  others: one.workloads.filter((name) => name !== one.target),
  ...{ hasRawSockets: one.hasRawSockets, verifiedAt: one.verifiedAt, hasRules: true },
  ...(counts.get(one.target) ?? NONE),
  problem: one.lastError ?? firstError(one.problems),
});

const placeOf = ({ key, line }: Problem): string => {
  if (key === undefined) return '';
  return `key ${key}${line === undefined ? '' : ` line ${line}`}: `;
};

/** Where it is, why, and how many more there are. */
function firstError(problems: readonly Problem[]): string | undefined {
  const [first, ...more] = problems.filter(({ severity }) => severity === 'error');
  if (first === undefined) return undefined;
  const others = more.length === 0 ? '' : `; ${many(more.length, 'more error')}`;
  return `${placeOf(first)}${first.reason}${others}`;
}

const withoutRules = ({ name, problem }: WithoutRules, state: string): HostRow => ({
  ...{ name, project: '', state, others: [], grants: [], hasRawSockets: false, hasRules: false, ...NONE },
  problem: problem.reason,
});

export interface ProjectRows {
  readonly project: string;
  readonly rows: readonly HostRow[];
}

/** By compose project: the one with the most urgent row first; containers without a project are one group. */
export const byProject = (rows: readonly HostRow[]): readonly ProjectRows[] =>
  [...Map.groupBy(rows, ({ project }) => project)].map(([project, inside]) => ({ project, rows: inside }));

export interface StateCount {
  readonly state: string;
  readonly count: number;
}

/** The most urgent state first. */
export const stateCounts = (rows: readonly HostRow[]): readonly StateCount[] =>
  [...Map.groupBy(rows, ({ state }) => state)]
    .map(([state, inside]) => ({ state, count: inside.length }))
    .toSorted((one, other) => urgencyOf(one.state) - urgencyOf(other.state) || other.count - one.count);

export interface Headline {
  readonly tone: Tone;
  readonly text: string;
}

/** All of it in a sentence or two. */
export function headline(
  rows: readonly HostRow[],
  sources: readonly SourceEntry[],
  isReady: boolean,
): Headline {
  if (!isReady) return { tone: 'warn', text: 'The rules and the containers are not read yet.' };
  const { tone, text } = ofRows(rows);
  const failing = sources.filter(({ error }) => error !== undefined).map(({ name }) => name);
  if (failing.length === 0) return { tone, text };
  return {
    tone: tone === 'bad' ? 'bad' : 'warn',
    text: `${text} ${capital(named(failing))} cannot be read: rules that are loaded stay.`,
  };
}

function ofRows(rows: readonly HostRow[]): Headline {
  if (rows.length === 0)
    return { tone: 'quiet', text: 'No running container was started with EGRESSTRATOR_ENABLE=1.' };
  const bad = rows.filter(({ state }) => lookOf(state).tone === 'bad');
  if (bad.length > 0) {
    const number = `${bad.length.toLocaleString('en-US')} of ${many(rows.length, 'container')}`;
    return { tone: 'bad', text: `Rules do not hold for ${number}: ${named(bad.map(withState))}.` };
  }
  const warned = rows.filter(({ state }) => lookOf(state).tone === 'warn');
  if (warned.length > 0)
    return {
      tone: 'warn',
      text: `Rules hold wherever they are loaded. Look at ${named(warned.map(withState))}.`,
    };
  const audited = rows.filter(({ state }) => state === 'audit').length;
  if (audited > 0)
    return {
      tone: 'watch',
      text: `All rules are loaded. ${many(audited, 'container')} in audit mode: what enforce would deny passes there, and is recorded.`,
    };
  return {
    tone: 'good',
    text:
      rows.length === 1
        ? 'The only container can reach what its keys allow, and nothing else.'
        : `All ${many(rows.length, 'container')} can reach what their keys allow, and nothing else.`,
  };
}

const withState = ({ name, state }: HostRow): string => `${name} (${state})`;

/** The first few. */
const named = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? list(names)
    : `${names.slice(0, MOST_NAMED - 1).join(', ')} and ${many(names.length - MOST_NAMED + 1, 'other')}`;

const MOST_NAMED = 4;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export interface SourceRow {
  readonly name: string;
  /** `ok`, `not read yet`, `outdated` or `error`. */
  readonly state: string;
  readonly confirmedAt?: number | undefined;
  readonly error?: string | undefined;
}

/** Services are listed one by one only if they have a problem; the age is that of the oldest. */
export function sourceRows(sources: readonly SourceEntry[]): readonly SourceRow[] {
  const isQuiet = (one: SourceEntry) => one.name.startsWith('service ') && stateOf(one) === 'ok';
  const quiet = sources.filter(isQuiet);
  const rows = sources
    .filter((one) => !isQuiet(one))
    .map((one) => ({ name: one.name, state: stateOf(one), confirmedAt: one.confirmedAt, error: one.error }));
  const ages = quiet.map(({ confirmedAt }) => confirmedAt ?? 0);
  const services = { name: many(quiet.length, 'service'), state: 'ok', confirmedAt: Math.min(...ages) };
  return [...rows, ...(quiet.length === 0 ? [] : [services])].toSorted(
    (one, other) => urgencyOf(one.state) - urgencyOf(other.state),
  );
}

const stateOf = ({ known, error, outdated }: SourceEntry): string => {
  if (outdated) return 'outdated';
  if (error !== undefined) return 'error';
  return known ? 'ok' : 'not read yet';
};
