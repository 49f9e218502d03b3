/**
 * What is known of the names of one namespace, as plain data: what was asked and not answered, and what is granted.
 * The proxy reports it; questions of operators, status, metrics and the state file read it.
 */
import type { NamesState } from '../../inventory/names-summary.ts';

/**
 * Why a name was not answered as it was asked: no rule is about it, its type is never answered, too many new names
 * under a wildcard, no rule grants what it leads to, a limit of grants is reached, or the answer failed otherwise.
 */
export const DENIAL_CAUSES = ['name', 'type', 'fresh', 'address', 'limit', 'failed'] as const;
export type DenialCause = (typeof DENIAL_CAUSES)[number];

/** A name that a workload asked for in vain (or, in audit mode, would have). */
export interface DeniedName {
  /** In presentation form, always one line of visible ASCII. */
  readonly name: string;
  readonly cause: DenialCause;
  /** Of the last time: the addresses that no rule grants, or what failed. */
  readonly reason?: string | undefined;
  /** The types that were asked, as `A`, `AAAA`, `TXT`; the first few. */
  readonly types: readonly string[];
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/** An address that a name leads to, and that is granted. */
export interface GrantedName {
  /** `(unknown)` if an earlier run has granted it and left no record of its name. */
  readonly name: string;
  readonly address: string;
  /** The port class, `tcp/443`. */
  readonly ports: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Questions since the namespace is served. */
export interface NameCounts {
  readonly asked: number;
  readonly answered: number;
  readonly denied: Readonly<Record<DenialCause, number>>;
  /** Messages that were no question. */
  readonly malformed: number;
}

export interface NamesReport {
  readonly state: NamesState;
  /** Why they are not answered; what is wrong where they are. */
  readonly reasons: readonly string[];
  /** Sorted by name, then by address. */
  readonly grants: readonly GrantedName[];
  /** The latest first. */
  readonly denied: readonly DeniedName[];
  /** Denied names that were dropped, because there were too many. */
  readonly unlisted: number;
  readonly counts: NameCounts;
  /** Questions that wait for an answer now. */
  readonly unanswered: number;
  /** Messages and connections over a limit, which got no answer, or one that says so. */
  readonly dropped: number;
}

/** Before anything was asked. */
export const NO_COUNTS: NameCounts = {
  ...{ asked: 0, answered: 0, malformed: 0 },
  denied: { name: 0, type: 0, fresh: 0, address: 0, limit: 0, failed: 0 },
};

export const NO_REPORT: NamesReport = {
  ...{ state: 'waiting', reasons: [], grants: [], denied: [] },
  ...{ unlisted: 0, unanswered: 0, dropped: 0, counts: NO_COUNTS },
};
