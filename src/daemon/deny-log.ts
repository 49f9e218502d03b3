/**
 * Collects denied destinations: from time to time for logs and metrics, and at once for a request.
 *
 * The kernel counts packets per destination, and drops both after ten minutes or at the next load. So each reading is
 * compared with the one before (`denied-history.ts`), and new entries are logged (`denied-lines.ts`). A question about
 * hundreds of namespaces is answered soon: for those that could not be read in time, it gets the last reading.
 */
import type { Direction } from '../common/direction.ts';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { PeriodicScanner } from '../common/periodic-scanner.ts';
import type { Dataplane } from '../dataplane/dataplane.ts';
import {
  agedSummary,
  type DeniedRecord,
  type DeniedReport,
  type DeniedSummary,
  isNothing,
  NOTHING_DENIED,
} from '../inventory/denied-record.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import type { TrackedFlow } from './denied-flow-tracker.ts';
import { DeniedHistory, type DeniedState } from './denied-history.ts';
import { DeniedLines, type DeniedNamespace } from './denied-lines.ts';
import { type FoundDenied, refOf } from './ruleset-loader.ts';

export interface DenyLogOptions {
  readonly dataplane: Pick<Dataplane, 'denied' | 'egressCounters'>;
  /** Whose record it is, by the name of its owner; default egress. */
  readonly direction?: Direction;
  /** The namespaces that have rules now. */
  readonly namespaces: () => readonly DeniedNamespace[];
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds between two collections; 0: only on demand. */
  readonly interval: number;
  /** The state of the previous run. */
  readonly previous?: DeniedState | undefined;
  /** Called when `state` has changed. */
  readonly onChange?: () => void;
}

/** What was denied to a container that has ended. */
export interface EndedReport extends Pick<DeniedReport, 'container' | 'mode' | 'destinations'> {
  readonly grants: readonly string[];
}

/** Collections in one interval. */
const MOST_COLLECTIONS = 60;
/** Namespaces that are read at once. */
const AT_ONCE = 2;
/** Milliseconds between two removals of outdated entries. */
const FORGET_EVERY = 60_000;
/** Milliseconds for the answer to a question, if earlier readings allow it. */
const TIMEOUT = 400;

export class DenyLog {
  readonly #options: DenyLogOptions;
  readonly #history: DeniedHistory;
  readonly #lines: DeniedLines;
  #forgotAt = Number.NEGATIVE_INFINITY;
  /** The last reports, by namespace. */
  readonly #last = new Map<NamespaceId, DeniedReport>();
  /** By the container's name, as long as its history is kept. */
  readonly #settings = new Map<string, Pick<EndedReport, 'mode' | 'grants'>>();
  /** The traffic counters of a namespace before its denied destinations were read. */
  readonly #traffic = new Map<NamespaceId, string | undefined>();
  readonly #scanner: PeriodicScanner<NamespaceId> | undefined;

  constructor(options: DenyLogOptions) {
    this.#options = options;
    const { interval, now } = options;
    this.#history = new DeniedHistory(options.previous, now());
    this.#lines = new DeniedLines(options.log, now, options.direction);
    if (interval === 0) return;
    const run = (id: NamespaceId) => this.#collect(id);
    this.#scanner = new PeriodicScanner({ interval, most: MOST_COLLECTIONS, now, run });
    this.follow();
  }

  /** Call this when the namespaces may have changed. */
  follow(): void {
    this.#scanner?.keep(this.#options.namespaces().map(({ id }) => id));
  }

  /** The state for the next run. */
  state(): DeniedState {
    return this.#history.state(this.#options.now());
  }

  /** The totals since the start, by the container's name; those of gone containers are removed later. */
  get summaries(): ReadonlyMap<string, DeniedSummary> {
    return this.#history.summaries(this.#options.now());
  }

  /**
   * Reads the denied destinations of the chosen namespaces. After `timeout` milliseconds, the last reading is used for
   * the rest, except for namespaces that were never read and have sent packets.
   */
  async read(
    choose: (namespace: DeniedNamespace) => boolean = () => true,
    timeout = Number.POSITIVE_INFINITY,
  ): Promise<readonly DeniedReport[]> {
    const end = this.#options.now() + timeout;
    const waiting = this.#options.namespaces().filter(choose).sort(this.#oldestFirst);
    const reports: DeniedReport[] = [];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        if (this.#options.now() < end) reports.push(await this.#readOne(next));
        else reports.push(this.#last.get(next.id) ?? (await this.#readIfBusy(next)));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return reports.map((one) => this.#aged(one)).sort((a, b) => (a.container < b.container ? -1 : 1));
  }

  #aged(report: DeniedReport): DeniedReport {
    const { summary } = report;
    return summary === undefined ? report : { ...report, summary: agedSummary(summary, this.#options.now()) };
  }

  /** What is known of all namespaces, without reading a kernel; `readAt` is 0 where none was read yet. */
  known(): readonly DeniedReport[] {
    return this.#options
      .namespaces()
      .map((one) =>
        this.#aged(this.#last.get(one.id) ?? this.#report(one, this.#reportWithoutKernel(one), 0)),
      );
  }

  /** What was denied to containers that have ended, while it is kept: ten minutes, as they may come back. */
  ended(): readonly EndedReport[] {
    const present = new Set(this.#options.namespaces().map(({ target }) => target.name));
    return this.#history.names.flatMap((container) => {
      const found = this.#history.current(container, this.#options.now());
      const settings = this.#settings.get(container);
      if (present.has(container) || found === undefined || settings === undefined) return [];
      return [{ container, ...settings, destinations: found.seen }];
    });
  }

  /** The namespaces that have rules now. */
  get namespaces(): readonly DeniedNamespace[] {
    return this.#options.namespaces();
  }

  /** The traffic counters of a namespace before its last reading. */
  trafficAtReading({ id }: Pick<DeniedNamespace, 'id'>): string | undefined {
    return this.#traffic.get(id);
  }

  /** Reads one namespace, if it has had traffic since its last reading. Never fails. */
  async refresh(namespace: DeniedNamespace): Promise<void> {
    await this.#readIfBusy(namespace);
  }

  /** Reads with a short timeout, for questions. */
  answer(choose?: (namespace: DeniedNamespace) => boolean): Promise<readonly DeniedReport[]> {
    return this.read(choose, TIMEOUT);
  }

  /**
   * What a job of the reconciler has read. For a namespace that is not known yet, it counts only if nothing was denied.
   */
  found(id: NamespaceId, { denied, begunAt, traffic }: FoundDenied): void {
    if (this.#scanner === undefined) return;
    const namespace = this.#find(id);
    if (namespace !== undefined) this.#take(namespace, denied, begunAt);
    if (namespace !== undefined || isNothing(denied)) this.#traffic.set(id, traffic);
  }

  async close(): Promise<void> {
    await this.#scanner?.close();
  }

  async #collect(id: NamespaceId): Promise<void> {
    const namespace = this.#find(id);
    if (namespace !== undefined) await this.#readIfBusy(namespace);
    this.#forget();
    this.follow();
  }

  async #readIfBusy(namespace: DeniedNamespace): Promise<DeniedReport> {
    const { id } = namespace;
    const traffic = await this.#options.dataplane.egressCounters(refOf(namespace));
    const isQuiet = traffic !== undefined && traffic === this.#traffic.get(id);
    if (isQuiet) return this.#last.get(id) ?? this.#keep(namespace, this.#reportWithoutKernel(namespace));
    const report = await this.#readOne(namespace);
    this.#traffic.set(id, report.error === undefined ? traffic : undefined);
    return report;
  }

  #find(id: NamespaceId): DeniedNamespace | undefined {
    return this.#options.namespaces().find((one) => one.id === id);
  }

  readonly #oldestFirst = (a: DeniedNamespace, b: DeniedNamespace): number =>
    (this.#last.get(a.id)?.readAt ?? 0) - (this.#last.get(b.id)?.readAt ?? 0);

  async #readOne(namespace: DeniedNamespace): Promise<DeniedReport> {
    const begunAt = this.#options.now();
    try {
      const denied = await this.#options.dataplane.denied(
        refOf(namespace),
        this.#options.direction ?? 'egress',
      );
      return this.#take(namespace, denied, begunAt);
    } catch (error) {
      const { name } = namespace.target;
      this.#options.log.debug(
        { container: name, error: messageOf(error) },
        'denied connections could not be read',
      );
      return this.#keep(namespace, { ...this.#reportWithoutKernel(namespace), error: messageOf(error) });
    }
  }

  /** The known history, without reading the kernel. */
  #reportWithoutKernel({ target }: DeniedNamespace): Pick<DeniedReport, 'destinations' | 'summary'> {
    const known = this.#history.current(target.name, this.#options.now());
    return known === undefined ? { destinations: [] } : { destinations: known.seen, summary: known.summary };
  }

  /** An older reading is ignored: its packets would be counted twice. */
  #take(namespace: DeniedNamespace, denied: DeniedRecord, begunAt: number): DeniedReport {
    const last = this.#last.get(namespace.id);
    if (last !== undefined && last.readAt > begunAt) return last;
    const { seen, summary } = this.#record(namespace, denied);
    return this.#keep(namespace, { destinations: seen, summary });
  }

  #keep(
    namespace: DeniedNamespace,
    found: Pick<DeniedReport, 'destinations' | 'summary' | 'error'>,
  ): DeniedReport {
    const report = this.#report(namespace, found, this.#options.now());
    this.#last.set(namespace.id, report);
    return report;
  }

  #report(
    { mode, members, target }: DeniedNamespace,
    found: Pick<DeniedReport, 'destinations' | 'summary' | 'error'>,
    readAt: number,
  ): DeniedReport {
    const workloads = members.map(({ container }) => container.name);
    const covers = this.#history.covers(this.#options.now(), this.#options.interval > 0);
    return { container: target.name, workloads, mode, ...found, covers, readAt };
  }

  #record(namespace: DeniedNamespace, denied: DeniedRecord): TrackedFlow {
    const { mode, grants = [] } = namespace;
    this.#settings.set(namespace.target.name, { mode, grants });
    const tracked = this.#history.record(namespace.target.name, namespace.id, denied, this.#options.now());
    this.#lines.write(namespace, tracked);
    if (denied !== NOTHING_DENIED) this.#options.onChange?.();
    return tracked;
  }

  #forget(): void {
    const now = this.#options.now();
    if (now - this.#forgotAt < FORGET_EVERY) return;
    this.#forgotAt = now;
    const names = new Set(this.#options.namespaces().map(({ target }) => target.name));
    const ids = new Set(this.#options.namespaces().map(({ id }) => id));
    for (const known of [this.#last, this.#traffic]) {
      for (const id of known.keys()) if (!ids.has(id)) known.delete(id);
    }
    const forgotten = this.#history.forget(names, now);
    this.#lines.forget(forgotten);
    for (const name of forgotten) this.#settings.delete(name);
  }
}
