/**
 * What the screen of the cluster says: a row for each host, and the workloads of all hosts for a search. Pure.
 */
import { type HostState, hostState, statesText } from '../../../src/format/host-status.ts';
import type { LiveState } from '../../../src/live/state.ts';
import type { HostEntry } from '../../../src/live/tables.ts';
import type { Reach, ReachLine } from '../../rules/reaching.ts';
import { urgencyOf } from '../../ui/state-looks.ts';

export interface HostRow {
  readonly node: string;
  readonly state: HostState;
  readonly version: string;
  readonly at: number;
  readonly states: string;
  readonly workloads: number;
  readonly errors: readonly string[];
  readonly isThis: boolean;
}

/** What is wrong comes first. `node`: this host's. */
export const hostRows = (
  hosts: LiveState['hosts'],
  node: string | undefined,
  now: number,
): readonly HostRow[] =>
  [...hosts]
    .map(([name, one]) => rowOf(name, one, name === node, now))
    .toSorted(
      (one, other) => urgencyOf(one.state) - urgencyOf(other.state) || ORDER.compare(one.node, other.node),
    );

/** `node2` before `node10`. */
const ORDER = new Intl.Collator('en', { numeric: true });

const rowOf = (node: string, one: HostEntry, isThis: boolean, now: number): HostRow => ({
  ...{ node, state: hostState(one, now), version: one.version, at: one.at, isThis },
  ...{ states: statesText(one), errors: one.errors },
  workloads: Object.values(one.states).reduce((sum, number) => sum + number, 0),
});

export const hostText = ({ node, state, version, states, errors }: HostRow): string =>
  [node, state, version, states, ...errors].join(' ');

/** One sentence about all hosts. */
export function summaryOf(rows: readonly HostRow[]): string {
  const bad = rows.filter(({ state }) => state !== 'ok');
  const all = `${hostsText(rows.length)} ${rows.length === 1 ? 'publishes its' : 'publish their'} status in Consul`;
  if (bad.length === 0) return `${all}, and none has errors.`;
  const counts = Map.groupBy(bad, ({ state }) => state);
  return `${all}: ${[...counts].map(([state, some]) => `${some.length} ${WORDS[state]}`).join(', ')}.`;
}

const WORDS: Readonly<Record<HostState, string>> = {
  ...{ ok: 'without errors', errors: 'with errors', stopped: 'stopped', stale: 'not heard of for minutes' },
  unreadable: 'not readable',
};

const hostsText = (number: number): string =>
  number === 1 ? '1 host' : `${number.toLocaleString('en-US')} hosts`;

/** A workload of any host. */
export interface ClusterWorkload {
  readonly node: string;
  readonly name: string;
  readonly state: string;
  readonly keys: readonly string[];
  readonly isHere: boolean;
  /** The state of the host. */
  readonly host: HostState;
  /** When that was published, in ms since the epoch. */
  readonly at: number;
}

type Known = Pick<LiveState, 'hosts' | 'workloads' | 'controller'>;

/** Those of this host are known by the stream, and those of others by what these have published. */
export const clusterWorkloads = (
  { hosts, workloads, controller }: Known,
  now: number,
): readonly ClusterWorkload[] => {
  const node = controller.get('controller')?.node ?? '';
  const own = [...workloads.values()].flatMap(({ workloads: names, state, grants }) =>
    names.map((name) => ({
      ...{ node, name, state, keys: grants, isHere: true, host: 'ok' as const, at: now },
    })),
  );
  const others = [...hosts]
    .filter(([name]) => name !== node)
    .flatMap(([name, entry]) =>
      entry.workloads.map((one) => ({
        ...{ node: name, name: one.name, state: one.state, keys: one.keys, isHere: false },
        ...{ host: hostState(entry, now), at: entry.at },
      })),
    );
  return [...own, ...others];
};

/** Why a workload is in the result of a search. */
export interface FoundRow extends ClusterWorkload {
  readonly id: string;
  /** Lines that let it reach what was asked. */
  readonly lines: readonly ReachLine[];
  /** It is allowed without a line, as everything is that a denylist does not close. */
  readonly reaches: boolean;
  /** Its own name, or keys with the text in their name. */
  readonly named: boolean;
  readonly namedKeys: readonly string[];
}

export interface Found {
  readonly rows: readonly FoundRow[];
  /** Why nobody's reach is known. */
  readonly unknown: string | undefined;
  /** Workloads that their keys do not limit, so they may reach it too. */
  readonly unlimited: readonly ClusterWorkload[];
}

/** States in which keys do not say what passes. */
const UNLIMITED: ReadonlySet<string> = new Set(['audit', 'cleared', 'custom', 'unenforceable', 'denylist']);

/** `reach`: undefined where it cannot be asked yet. Workloads that reach it come first. */
export function search(text: string, workloads: readonly ClusterWorkload[], reach: Reach | undefined): Found {
  const word = text.trim().toLowerCase();
  const answers = workloads.map((one) => ({
    one,
    answer: one.isHere ? reach?.here(one.name) : reach?.byKeys(one.keys),
  }));
  const rows = answers.map(({ one, answer }) => ({
    ...{ ...one, id: `${one.node} ${one.name}`, named: one.name.toLowerCase().includes(word) },
    ...{ reaches: answer?.kind === 'reaches', lines: answer?.kind === 'reaches' ? answer.lines : [] },
    namedKeys: one.keys.filter((key) => key.toLowerCase().includes(word)),
  }));
  const found = rows.filter(({ reaches, named, namedKeys }) => reaches || named || namedKeys.length > 0);
  const reasons = answers.flatMap(({ answer }) => (answer?.kind === 'unknown' ? [answer.reason] : []));
  const isAnswered = answers.some(({ answer }) => answer !== undefined && answer.kind !== 'unknown');
  const reaching = new Set(rows.filter(({ reaches }) => reaches).map(({ id }) => id));
  return {
    rows: found.toSorted((one, other) => Number(other.reaches) - Number(one.reaches)),
    unknown: isAnswered ? undefined : reasons[0],
    unlimited: isAnswered
      ? workloads.filter((one) => UNLIMITED.has(one.state) && !reaching.has(`${one.node} ${one.name}`))
      : [],
  };
}
