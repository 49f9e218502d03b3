/**
 * What the screen of networks.json says: kinds of entries, their counts, and what is wrong. Pure.
 */
import type { Problem } from '../../../src/common/problem.ts';
import type { FailingStep, NetworksSummary } from '../../../src/diagnostics/networks-view.ts';
import {
  ENTRY_STATES,
  type EntryState,
  type EntryStateName,
} from '../../../src/features/networks/entry-states.ts';

export const KINDS = ['networks', 'attachments', 'policies', 'routes'] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_TITLES: Readonly<Record<Kind, string>> = {
  networks: 'Networks',
  attachments: 'Addresses of containers',
  policies: 'Policies',
  routes: 'Routes in containers',
};

export const ENTRY_MEANING: Readonly<Record<EntryStateName, string>> = {
  applied: 'Docker, the host or the container has it',
  pending: 'it is made next',
  failed: 'it could not be made, and is tried again',
  waiting: 'a container that it needs does not run',
  conflicting: 'Docker or another entry has it otherwise; it is left as it is',
  invalid: 'it has an error, and no effect',
};

export interface EntryRow {
  readonly id: string;
  readonly kind: Kind;
  readonly path: string;
  readonly text: string;
  readonly state: EntryStateName;
  /** Why it is so. */
  readonly reason: string;
}

/** Those that are not applied come first, in the order of their states. */
export const rowsOf = (networks: NetworksSummary, kind: Kind): readonly EntryRow[] =>
  networks[kind]
    .map((entry, index) => rowOf(entry, kind, index))
    .toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));

const ORDER: readonly EntryStateName[] = [
  'failed',
  'conflicting',
  'invalid',
  'pending',
  'waiting',
  'applied',
];

const rowOf = ({ path, text = '', state, reason }: EntryState, kind: Kind, index: number): EntryRow => ({
  ...{ id: `${kind} ${index}`, kind, path: path, text: text, state },
  reason: reason ?? (state === 'applied' ? '' : ENTRY_MEANING[state]),
});

export const entryText = ({ path, text, state, reason }: EntryRow): string =>
  [path, text, state, reason].join(' ');

/** How many entries of all kinds have each state; states without one are left out. */
export const stateCounts = (
  networks: NetworksSummary,
): readonly { readonly state: EntryStateName; readonly count: number }[] => {
  const all = KINDS.flatMap((kind) => networks[kind]);
  return ENTRY_STATES.map((state) => ({
    state,
    count: all.filter((one) => one.state === state).length,
  })).filter(({ count }) => count > 0);
};

/** One sentence: whether everything is as the file says. */
export function summaryOf(networks: NetworksSummary): string {
  const counts = stateCounts(networks);
  const all = counts.reduce((sum, { count }) => sum + count, 0);
  if (networks.error !== undefined) return 'The present file is not used: the last good one counts.';
  if (networks.readAt === undefined) return 'The file was not read yet.';
  if (all === 0) return 'The file has no entries.';
  const others = counts.filter(({ state }) => state !== 'applied');
  if (others.length === 0 && networks.failing.length === 0) return 'Everything is as the file says.';
  const parts = others.map(({ state, count }) => `${count.toLocaleString('en-US')} ${state}`);
  return `Not everything is as the file says: ${parts.join(', ') || 'a step fails'}.`;
}

/** `next try in 12 seconds`, `tried again now` */
export function retryText({ retryAt }: FailingStep, now: number): string {
  if (retryAt === undefined) return 'it is tried again';
  const seconds = Math.ceil((retryAt - now) / 1000);
  if (seconds <= 0) return 'it is tried again now';
  return `next try in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
}

/** The host's problems that are about the file: they name a place in it. */
export const problemsOfFile = (problems: readonly Problem[]): readonly Problem[] =>
  problems
    .filter(
      ({ text = '', reason }) => PLACE.test(text) || reason.includes('networks.json') || PLACE.test(reason),
    )
    .map((one) => ({
      ...one,
      ...(one.text !== undefined && { text: one.text }),
      reason: one.reason,
    }));

const PLACE = /^(networks|ips|policies)([[.]|$)/;
