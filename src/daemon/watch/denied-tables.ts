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
import { type DeniedEntry, type DeniedRecordEntry, deniedId } from '../../live/tables.ts';
import type { EndedReport } from '../deny-log.ts';
import { reuseEqual } from './reuse.ts';

type DeniedTables = Pick<LiveState, 'denied' | 'deniedRecords'>;

export interface DeniedInput {
  readonly reports: readonly DeniedReport[];
  /** Of containers that have ended. */
  readonly ended: readonly EndedReport[];
  /** The keys of a container. */
  readonly grantsOf: (container: string) => readonly string[];
  /** Undefined if the keys are not known. */
  readonly index: CatalogIndex | undefined;
}

/** Rows of all containers; each has room for some. */
const MOST_ROWS = 20_000;
const LEAST_EACH = 50;
/** Of the containers that have ended: a host that starts some for each task would have thousands of them. */
const MOST_ENDED = 200;
/** Milliseconds in which the time of a reading may be older than the last reading, if that found nothing new. */
const READ_STEP = 15_000;
const COVERS_STEP = 60_000;

type Row = readonly [string, DeniedEntry];

/** What the rows of a container were made of, and the rows. */
interface Made {
  readonly destinations: readonly DeniedFlow[];
  readonly index: CatalogIndex | undefined;
  /** As text. */
  readonly grants: string;
  readonly most: number;
  readonly rows: readonly Row[];
  readonly byId: ReadonlyMap<string, DeniedEntry>;
  readonly hasEnded: boolean;
}

export class DeniedRows {
  /** By container. */
  #made: ReadonlyMap<string, Made> = new Map();

  *tables(previous: LiveState, input: DeniedInput): Steps<DeniedTables> {
    const { reports } = input;
    const all = [...reports, ...(yield* latest(input.ended))];
    const most = mostEach(all);
    const made = new Map<string, Made>();
    for (const report of all) {
      made.set(report.container, yield* this.#rowsOf(report, most, input));
      yield;
    }
    const isSame =
      made.size === this.#made.size && [...made].every(([name, one]) => this.#made.get(name) === one);
    this.#made = made;
    return {
      denied:
        isSame && previous.denied.size > 0
          ? previous.denied
          : yield* reuseEqual(
              previous.denied,
              [...made.values()].flatMap(({ rows }) => rows),
            ),
      deniedRecords: yield* reuseEqual(previous.deniedRecords, recordsOf(previous, reports, most)),
    };
  }

  *#rowsOf(report: DeniedReport | EndedReport, most: number, { index, grantsOf }: DeniedInput): Steps<Made> {
    const { container, destinations } = report;
    const known = this.#made.get(container);
    const ended = 'grants' in report ? { mode: report.mode, grants: report.grants } : undefined;
    const granted = ended?.grants ?? grantsOf(container);
    const grants = granted.join(',');
    const hasEnded = ended !== undefined;
    const isSameBehind = known?.index === index && known?.grants === grants && known?.hasEnded === hasEnded;
    if (known?.destinations === destinations && known.most === most && isSameBehind) return known;
    const rows: Row[] = [];
    for (const flow of newest(destinations, most)) {
      const id = deniedId({ container, ...flow, services: [], keys: [] });
      const before = known?.hasEnded === hasEnded ? known.byId.get(id) : undefined;
      const behind = isSameBehind && before !== undefined ? before : lookUp(flow, index, granted);
      rows.push([id, isAsBefore(flow, behind, before) ? before : rowOf(container, flow, behind, ended)]);
      yield;
    }
    return { destinations, index, grants, most, rows, byId: new Map(rows), hasEnded };
  }
}

/** Those that were denied something last. */
function* latest(ended: readonly EndedReport[]): Steps<readonly EndedReport[]> {
  if (ended.length <= MOST_ENDED) return ended;
  const times: (readonly [EndedReport, number])[] = [];
  for (const report of ended) {
    const last = report.destinations.reduce((time, { lastSeenAt }) => Math.max(time, lastSeenAt), 0);
    times.push([report, last]);
    yield;
  }
  return times
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, MOST_ENDED)
    .map(([report]) => report);
}

type Behind = Pick<DeniedRow, 'services' | 'keys'>;

const rowOf = (
  container: string,
  flow: DeniedFlow,
  { services, keys }: Behind,
  ended: DeniedEntry['ended'],
): DeniedEntry => ({ ...{ container, ...flow, services, keys }, ...(ended && { ended }) });

/** So that only what has changed is looked at later on. */
const isAsBefore = (
  flow: DeniedFlow,
  behind: Behind,
  before: DeniedEntry | undefined,
): before is DeniedEntry =>
  before !== undefined &&
  before.packets === flow.packets &&
  before.lastSeenAt === flow.lastSeenAt &&
  before.firstSeenAt === flow.firstSeenAt &&
  isEqual(before.services, behind.services) &&
  isEqual(before.keys, behind.keys);

const isEqual = (one: readonly string[], other: readonly string[]): boolean =>
  one === other || (one.length === other.length && one.every((text, index) => text === other[index]));

function lookUp(flow: DeniedFlow, index: CatalogIndex | undefined, grants: readonly string[]): Behind {
  const destination = destinationOf(flow);
  if (index === undefined || destination === undefined) return NOTHING;
  return matchService(destination, index, grants);
}

const NOTHING: Behind = { services: [], keys: [] };

const mostEach = (reports: readonly Pick<DeniedReport, 'destinations'>[]): number => {
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
