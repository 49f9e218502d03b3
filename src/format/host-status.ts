/**
 * What a host has published about itself, in words.
 */
import type { HostEntry } from '../live/tables.ts';

/** Milliseconds: a host writes at least once a minute. */
const STALE = 180_000;

export type HostState = 'ok' | 'errors' | 'stopped' | 'stale' | 'unreadable';

/** Undefined if its status cannot be parsed. */
export function hostState(
  hostStatus: Pick<HostEntry, 'running' | 'at' | 'errors'> | undefined,
  now: number,
): HostState {
  if (hostStatus === undefined) return 'unreadable';
  if (!hostStatus.running) return 'stopped';
  if (now - hostStatus.at > STALE) return 'stale';
  return hostStatus.errors.length > 0 ? 'errors' : 'ok';
}

export const statesText = (hostStatus: Pick<HostEntry, 'states'> | undefined): string =>
  Object.entries(hostStatus?.states ?? {})
    .map(([state, number]) => `${number} ${state}`)
    .join(', ') || 'none';
