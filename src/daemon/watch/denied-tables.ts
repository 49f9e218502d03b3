/**
 * The tables of denied destinations, with the services and keys behind each. To find these costs most, so a
 * destination is looked up once for the same keys and services.
 */
import type { Steps } from '../../common/slices.ts';
import type { DeniedRow } from '../../diagnostics/denied-answer.ts';
import { destinationOf } from '../../diagnostics/destination.ts';
import { type CatalogIndex, matchService } from '../../diagnostics/suggest.ts';
import type { DeniedFlow, DeniedReport } from '../../inventory/denied-record.ts';
import type { LiveState } from '../../live/state.ts';
import { type DeniedRecordEntry, deniedId } from '../../live/tables.ts';
import { settled } from './settled.ts';

type DeniedTables = Pick<LiveState, 'denied' | 'deniedRecords'>;

export interface DeniedInput {
  readonly reports: readonly DeniedReport[];
  /** The keys of a container. */
  readonly grantsOf: (container: string) => readonly string[];
  /** Undefined if the keys are not known. */
  readonly index: CatalogIndex | undefined;
}

/** Rows of all containers; each has room for some. */
const MOST_ROWS = 20_000;
const LEAST_EACH = 50;
/** Milliseconds in which the time of a reading may be older than the last reading, if that found nothing new. */
const READ_STEP = 15_000;
const COVERS_STEP = 60_000;

interface Found {
  readonly index: CatalogIndex | undefined;
  readonly grants: string;
  readonly behind: Map<string, Pick<DeniedRow, 'services' | 'keys'>>;
}

export class DeniedRows {
  /** By container. */
  readonly #found = new Map<string, Found>();

  *tables(previous: LiveState, input: DeniedInput): Steps<DeniedTables> {
    const { reports } = input;
    const most = mostEach(reports);
    const rows: (readonly [string, DeniedRow])[] = [];
    for (const report of reports)
      for (const flow of newest(report.destinations, most)) {
        const row = { container: report.container, ...flow, ...this.#behind(report.container, flow, input) };
        rows.push([deniedId(row), row]);
        yield;
      }
    this.#forget(new Set(reports.map(({ container }) => container)));
    return {
      denied: yield* settled(previous.denied, rows),
      deniedRecords: yield* settled(previous.deniedRecords, recordsOf(previous, reports, most)),
    };
  }

  #behind(container: string, flow: DeniedFlow, { index, grantsOf }: DeniedInput) {
    const destination = destinationOf(flow);
    if (index === undefined || destination === undefined) return NOTHING;
    const grants = grantsOf(container);
    const { behind } = this.#foundFor(container, index, grants);
    const id = `${flow.protocol} ${flow.address} ${flow.port ?? ''}`;
    const found = behind.get(id) ?? matchService(destination, index, grants);
    behind.set(id, found);
    return found;
  }

  #foundFor(container: string, index: CatalogIndex, granted: readonly string[]): Found {
    const grants = granted.join(',');
    const known = this.#found.get(container);
    if (known?.index === index && known.grants === grants) return known;
    const found = { index, grants, behind: new Map() };
    this.#found.set(container, found);
    return found;
  }

  #forget(present: ReadonlySet<string>): void {
    for (const container of this.#found.keys()) if (!present.has(container)) this.#found.delete(container);
  }
}

const NOTHING = { services: [], keys: [] };

const mostEach = (reports: readonly DeniedReport[]): number => {
  const some = reports.filter(({ destinations }) => destinations.length > 0).length;
  return Math.max(LEAST_EACH, Math.floor(MOST_ROWS / Math.max(1, some)));
};

const newest = (flows: readonly DeniedFlow[], most: number): readonly DeniedFlow[] =>
  flows.length <= most ? flows : flows.toSorted((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, most);

const recordsOf = (previous: LiveState, reports: readonly DeniedReport[], most: number) =>
  reports
    .filter(({ readAt }) => readAt > 0)
    .map(
      (report) =>
        [report.container, recordEntry(report, previous.deniedRecords.get(report.container), most)] as const,
    );

/** Times that only tell that nothing is new change seldom: each change is sent. */
function recordEntry(
  { summary, mode, readAt, covers, error, destinations }: DeniedReport,
  previous: DeniedRecordEntry | undefined,
  most: number,
): DeniedRecordEntry {
  const isRecent = previous !== undefined && readAt - previous.readAt < READ_STEP;
  return {
    ...{ summary, mode, error },
    readAt: isRecent ? previous.readAt : readAt,
    covers: covers === undefined ? undefined : Math.floor(covers / COVERS_STEP) * COVERS_STEP,
    ...(destinations.length > most && { omitted: destinations.length - most }),
  };
}
