/**
 * The names of one namespace in a few numbers, and what is wrong with them.
 */
import type { Problem } from '../../common/problem.ts';
import type { NamesSummary } from '../../inventory/names-summary.ts';
import type { NamesReport } from './name-report.ts';

export const namesSummary = ({ state, grants, denied }: NamesReport): NamesSummary => ({
  state,
  names: new Set(grants.map(({ name }) => name)).size,
  addresses: new Set(grants.map(({ address }) => address)).size,
  denied: new Set(denied.map(({ name }) => name)).size,
});

/** Names at a limit that are listed. */
const MOST_LIMITED = 3;

export const namesProblems = ({ state, reasons, denied }: NamesReport): readonly Problem[] => [
  ...(state === 'unavailable' ? reasons : []).map(
    (reason): Problem => ({ severity: 'error', reason: `its names are not answered: ${reason}` }),
  ),
  ...denied
    .filter(({ cause }) => cause === 'limit')
    .slice(0, MOST_LIMITED)
    .map(
      ({ name, reason = 'a limit is reached' }): Problem => ({
        severity: 'warning',
        text: name,
        reason: `${reason}, so it was not answered; raise it, or name fewer names`,
      }),
    ),
];

/** With all times later by `ms`. */
export const shiftedNames = (report: NamesReport, ms: number): NamesReport => ({
  ...report,
  grants: report.grants.map((one) => ({ ...one, until: one.until + ms })),
  denied: report.denied.map((one) => ({
    ...one,
    firstSeenAt: one.firstSeenAt + ms,
    lastSeenAt: one.lastSeenAt + ms,
  })),
});
