/**
 * What the controller says of itself: one typed picture that the command line, the API, metrics and
 * logs all draw from.
 */

import type { Problem } from '../common/problem.ts';
import type { Said } from '../features/egress/overrides.ts';
import type { NamespaceId } from '../features/egress/workload-namespaces.ts';
import type { DeniedSummary } from '../inventory/denied-record.ts';
import type { DnsPolicy, Mode } from '../inventory/workload.ts';
import type { Ages } from './age-limit.ts';
import type { Freshness } from './consul-cache.ts';

/**
 * - `pending`: waits for its first load, for a moment with an edit, or for the rules with those of before in place.
 * - `protected`: the kernel holds what it should, and refuses the rest.
 * - `audit`: as protected, but what would be refused passes and is recorded.
 * - `isolated`: nothing is allowed, since no valid grant is known, or the template allows nothing.
 * - `denylist`: all passes but what keys name that were not granted, by the template of that name.
 * - `custom`: the kernel holds what a user's own template makes of the grants.
 * - `unenforceable`: rules are loaded, but a container in the namespace can remove them.
 * - `failed`: the last attempt to load failed; it is tried again.
 * - `cleared`: an operator has taken the rules away until the container stops.
 */
export const NAMESPACE_STATES = [
  'pending',
  'protected',
  'audit',
  'isolated',
  'denylist',
  'custom',
  'unenforceable',
  'failed',
  'cleared',
] as const;

export type NamespaceState = (typeof NAMESPACE_STATES)[number];

export interface NamespaceStatus {
  readonly id: NamespaceId;
  /** Names of the workloads inside. */
  readonly workloads: readonly string[];
  readonly target: string;
  readonly state: NamespaceState;
  readonly grants: readonly string[];
  readonly mode: Mode;
  readonly dns: DnsPolicy;
  /** True if something inside may open raw sockets, with which AF_XDP gets round the rules. */
  readonly hasRawSockets: boolean;
  /** What is loaded; undefined if nothing is, as far as known. */
  readonly fingerprint: string | undefined;
  /** When it was loaded or last found right, in ms since the epoch. */
  readonly verifiedAt: number | undefined;
  readonly lastError: string | undefined;
  /** What loaded it at last, helper or nsenter; undefined where this run of the controller loaded nothing. */
  readonly loader?: string | undefined;
  readonly problems: readonly Problem[];
  /** What an operator has said of it; undefined where it holds what it asks for itself. */
  readonly byHand?: Pick<Said, 'kind' | 'since'> | undefined;
  /** Undefined where what was denied was not read yet. */
  readonly denied?: Omit<DeniedSummary, 'unlistedAt'> | undefined;
}

export interface SourceStatus {
  readonly name: string;
  readonly known: boolean;
  readonly confirmedAt: number | undefined;
  readonly error: string | undefined;
  /** True if what is known of it is older than `--max-age` allows, so that it grants nothing. */
  readonly outdated?: boolean | undefined;
}

export function sourceStatus({ name, known, confirmedAt, error }: Freshness, ages: Ages): SourceStatus {
  const age = name === 'rules' ? ages.rules : ages.services.get(name.replace(/^service /, ''));
  return { name, known, confirmedAt, error: error?.message, outdated: age === 'outdated' || undefined };
}

/** The controller itself, as far as who runs it knows. */
export interface About {
  readonly version: string;
  /** The host's name. */
  readonly node: string;
  readonly loader: string;
  readonly template: string;
  /** In ms since the epoch. */
  readonly startedAt: number;
}

/** The same with all times `ms` later: by the host's clock, where they were told by one that nobody sets. */
export function shifted(status: Status, ms: number): Status {
  const later = (time: number | undefined) => (time === undefined ? undefined : time + ms);
  return {
    ...status,
    namespaces: status.namespaces.map((one) => ({
      ...{ ...one, verifiedAt: later(one.verifiedAt) },
      ...(one.byHand && { byHand: { ...one.byHand, since: one.byHand.since + ms } }),
    })),
    sources: status.sources.map((one) => ({ ...one, confirmedAt: later(one.confirmedAt) })),
  };
}

export interface Status {
  readonly controller?: About;
  readonly namespaces: readonly NamespaceStatus[];
  readonly sources: readonly SourceStatus[];
  /** False where the template keeps no refused destinations; undefined where nobody knows. */
  readonly recordsDenied?: boolean;
  /** Workloads that can't be given rules at all. */
  readonly refused: readonly { readonly name: string; readonly problem: Problem }[];
  /** Containers that name keys and do not ask for rules. */
  readonly unasked?: readonly { readonly name: string; readonly problem: Problem }[];
}
