/**
 * The status of all hosts of a cluster, as text.
 */
import type { HostStatus } from '../../daemon/host-status.ts';
import { type HostState, hostState, statesText } from '../../format/host-status.ts';
import type { Colour, Style } from '../../format/style.ts';
import { ago } from '../../format/values.ts';
import { type Column, table } from './table.ts';

export interface Host {
  readonly node: string;
  /** Undefined if its status cannot be parsed. */
  readonly hostStatus: HostStatus | undefined;
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
