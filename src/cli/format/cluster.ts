/**
 * The status of all hosts of a cluster, as text.
 */
import type { HostStatus } from '../../daemon/host-status.ts';
import type { Colour, Style } from './style.ts';
import { type Column, table } from './table.ts';
import { ago } from './values.ts';

export interface Host {
  readonly node: string;
  /** Undefined if its status cannot be parsed. */
  readonly hostStatus: HostStatus | undefined;
}

/** Milliseconds: a host writes at least once a minute. */
const STALE = 180_000;

export type HostState = 'ok' | 'errors' | 'stopped' | 'stale' | 'unreadable';

/** Undefined if its status cannot be parsed. */
export function hostState(
  hostStatus: (Pick<HostStatus, 'running' | 'at'> & { readonly errors: readonly string[] }) | undefined,
  now: number,
): HostState {
  if (hostStatus === undefined) return 'unreadable';
  if (!hostStatus.running) return 'stopped';
  if (now - hostStatus.at > STALE) return 'stale';
  return hostStatus.errors.length > 0 ? 'errors' : 'ok';
}

export function formatCluster(hosts: readonly Host[], now: number, style: Style): string {
  const errors = hosts.flatMap(({ node, hostStatus }) =>
    (hostStatus?.errors ?? []).map((error) => `${style('red', node)}: ${error}`),
  );
  return [table(hosts, columns(now), style), errors.join('\n')].filter((part) => part !== '').join('\n\n');
}

const COLOURS: Readonly<Record<HostState, Colour>> = {
  ok: 'green',
  errors: 'red',
  stopped: 'yellow',
  stale: 'red',
  unreadable: 'red',
};

const columns = (now: number): readonly Column<Host>[] => [
  { title: 'NODE', text: ({ node }) => node },
  {
    title: 'STATE',
    text: ({ hostStatus }) => hostState(hostStatus, now),
    colour: ({ hostStatus }) => COLOURS[hostState(hostStatus, now)],
  },
  { title: 'VERSION', text: ({ hostStatus }) => hostStatus?.version ?? '-' },
  { title: 'LAST SEEN', text: ({ hostStatus }) => ago(hostStatus?.at, now) },
  { title: 'WORKLOADS', text: ({ hostStatus }) => statesText(hostStatus) },
];

export const statesText = (hostStatus: Pick<HostStatus, 'states'> | undefined): string =>
  Object.entries(hostStatus?.states ?? {})
    .map(([state, number]) => `${number} ${state}`)
    .join(', ') || 'none';
