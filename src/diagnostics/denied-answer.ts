/**
 * The denied destinations of containers, with the services and keys behind them.
 */

import type { DeniedFlow, DeniedReport, DeniedSummary } from '../inventory/denied-record.ts';
import { type DeniedNameRow, deniedNameRows } from './denied-names.ts';
import { destinationOf } from './destination.ts';
import type { Snapshot } from './snapshot.ts';
import { type CatalogIndex, matchService } from './suggest.ts';
import { unrecorded } from './unavailable.ts';

/** A denied destination, and the services and keys behind it. */
export interface DeniedRow extends Omit<DeniedFlow, 'port'> {
  readonly container: string;
  /** Absent where the protocol has none. */
  readonly port?: number | undefined;
  /** Services that are registered there, in the notation of rules. */
  readonly services: readonly string[];
  /** Keys that are not granted and allow it. */
  readonly keys: readonly string[];
}

export interface ContainerSummary extends DeniedSummary {
  readonly container: string;
}

export interface UnreadContainer {
  readonly container: string;
  readonly error: string;
}

export interface DeniedAnswer {
  readonly rows: readonly DeniedRow[];
  /** Names that were asked in vain; absent if there are none. */
  readonly names?: readonly DeniedNameRow[] | undefined;
  readonly unread: readonly UnreadContainer[];
  /** Containers in audit mode. */
  readonly audited: readonly string[];
  /** The total of packets, and whether the destinations are complete. */
  readonly records: readonly ContainerSummary[];
  /** The covered period in milliseconds; undefined if not known. */
  readonly covers?: number | undefined;
  /** Why denied destinations are not known; undefined if they are. */
  readonly unavailableReason?: string | undefined;
  /** When each container's kernel was read, in ms since the epoch. */
  readonly readAt: Readonly<Record<string, number>>;
}

/** `snapshot` and `index` are undefined if the rules are not known. */
export function deniedAnswer(
  reports: readonly DeniedReport[],
  snapshot: Snapshot | undefined,
  index: CatalogIndex | undefined,
): DeniedAnswer {
  const namespaces = snapshot?.namespaces ?? [];
  const grants = new Map(namespaces.map((one) => [one.target, one.grants]));
  const chosen = new Set(reports.map(({ container }) => container));
  const names = deniedNameRows(snapshot, (target) => chosen.has(target));
  return {
    ...(names.length > 0 && { names }),
    unavailableReason: snapshot?.recordsDenied === false ? unrecorded(snapshot.template) : undefined,
    records: reports.flatMap(({ container, summary }) => (summary ? [{ container, ...summary }] : [])),
    covers: coveredBy(reports),
    readAt: Object.fromEntries(reports.map((one) => [one.container, one.readAt])),
    rows: reports.flatMap((report) => rowsOf(report, grants.get(report.container) ?? [], index)),
    unread: unreadOf(reports),
    audited: reports
      .filter(({ mode, destinations }) => mode === 'audit' && destinations.length > 0)
      .map(({ container }) => container),
  };
}

/** Sorted by packets, the most first. */
const rowsOf = (
  { container, destinations }: DeniedReport,
  grants: readonly string[],
  index: CatalogIndex | undefined,
): readonly DeniedRow[] =>
  destinations
    .toSorted((a, b) => b.packets - a.packets || (placeOf(a) < placeOf(b) ? -1 : 1))
    .map((flow) => ({ container, ...flow, ...behind(flow, grants, index) }));

function behind(flow: DeniedFlow, grants: readonly string[], index: CatalogIndex | undefined) {
  const destination = destinationOf(flow);
  if (index === undefined || destination === undefined) return { services: [], keys: [] };
  return matchService(destination, index, grants);
}

/** `10.0.0.5 tcp/5432` */
export const placeOf = ({
  address,
  protocol,
  port,
}: Pick<DeniedRow, 'address' | 'protocol' | 'port'>): string =>
  `${address} ${protocol}${port === undefined ? '' : `/${port}`}`;

/** The shortest period of all reports. */
export const coveredBy = (reports: readonly DeniedReport[]): number | undefined => {
  const known = reports.flatMap(({ covers }) => covers ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
};

export const unreadOf = (reports: readonly DeniedReport[]): readonly UnreadContainer[] =>
  reports.flatMap(({ container, error }) => (error === undefined ? [] : [{ container, error }]));
