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
  readonly bulletin: HostStatus | undefined;
}

/** Milliseconds: a host writes at least once a minute. */
const STALE = 180_000;

export type HostState = 'ok' | 'errors' | 'stopped' | 'silent' | 'unreadable';

function hostState({ bulletin }: Host, now: number): HostState {
  if (bulletin === undefined) return 'unreadable';
  if (!bulletin.running) return 'stopped';
  if (now - bulletin.at > STALE) return 'silent';
  return bulletin.errors.length > 0 ? 'errors' : 'ok';
}

export function formatCluster(hosts: readonly Host[], now: number, paint: Style): string {
  const errors = hosts.flatMap(({ node, bulletin }) =>
    (bulletin?.errors ?? []).map((error) => `${paint('red', node)}: ${error}`),
  );
  return [table(hosts, columns(now), paint), errors.join('\n')].filter((part) => part !== '').join('\n\n');
}

const COLOURS: Readonly<Record<HostState, Colour>> = {
  ok: 'green',
  errors: 'red',
  stopped: 'yellow',
  silent: 'red',
  unreadable: 'red',
};

const columns = (now: number): readonly Column<Host>[] => [
  { title: 'NODE', text: ({ node }) => node },
  { title: 'STATE', text: (host) => hostState(host, now), colour: (host) => COLOURS[hostState(host, now)] },
  { title: 'VERSION', text: ({ bulletin }) => bulletin?.version ?? '-' },
  { title: 'LAST SEEN', text: ({ bulletin }) => ago(bulletin?.at, now) },
  { title: 'WORKLOADS', text: ({ bulletin }) => statesOf(bulletin) },
];

const statesOf = (bulletin: HostStatus | undefined): string =>
  Object.entries(bulletin?.states ?? {})
    .map(([state, number]) => `${number} ${state}`)
    .join(', ') || 'none';
