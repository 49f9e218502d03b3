/**
 * Limits the connections and the requests of one host, because Consul allows a client 200 connections and resets
 * further ones (tried on 1.8):
 *
 * - Up to `limit` services have a blocking query each, which returns a change at once.
 * - More than `limit` services have none. When the catalog of their datacenter changes, or the watch of the catalog
 *   fails, each service is polled, fifty a second in all. Each is also polled once in some minutes.
 * - Reads that do not block never wait for those that do.
 */
import { EventEmitter, once } from 'node:events';
import PQueue from 'p-queue';
import type { Watched } from '../../inventory/sources.ts';
import type { Query } from './query.ts';
import type { Timing } from './timing.ts';

/** First reads at a time, and polls at a time. With 80 blocking queries, two runs stay below 200 connections. */
const CONCURRENCY = 16;
/** At most fifty polls a second. */
const POLL_RATE = { interval: 200, intervalCap: 10 };
/** How long a poll blocks, in ms: one server may see a change later than another. */
const POLL_WAIT = 200;
/** The longest time between two polls, in ms. The alert for stale services waits for 15 minutes. */
const LONGEST_REST = 560_000;

/** `undefined`: the agent's own. */
export type Datacenter = string | undefined;

export interface QuerySchedulerOptions {
  readonly limit: number;
  readonly timing: Timing;
  /** Watches the tables of a catalog; calls back after a change of a table and after a failure. */
  readonly watchCatalog: (datacenter: Datacenter, onMove: () => void) => readonly Watched<unknown>[];
}

export class QueryScheduler {
  readonly #options: QuerySchedulerOptions;
  readonly #reads = new PQueue({ concurrency: CONCURRENCY });
  readonly #polls = new PQueue({ concurrency: CONCURRENCY, ...POLL_RATE });
  /** The datacenter of each service. */
  readonly #members = new Map<symbol, Datacenter>();
  readonly #catalogs = new Map<Datacenter, CatalogWatch>();

  constructor(options: QuerySchedulerOptions) {
    this.#options = options;
  }

  /** Registers a service; the returned function removes it. */
  join(datacenter: Datacenter): () => void {
    const member = Symbol(datacenter);
    this.#members.set(member, datacenter);
    return () => {
      this.#members.delete(member);
      this.#closeUnused();
    };
  }

  schedule<T>(query: Query<T>, datacenter: Datacenter): Query<T> {
    /** The state of the catalog when the last read began. */
    let seen: symbol | undefined;
    const read: Query<T>['execute'] = (mode, signal) => {
      seen = this.#catalogs.get(datacenter)?.version;
      return query.execute(mode, signal);
    };
    const execute: Query<T>['execute'] = async (mode, signal) => {
      const catalog = this.#catalogOf(datacenter);
      if (mode.kind !== 'blocking') return this.#reads.add(() => read(mode, signal), { signal });
      if (catalog === undefined) return read(mode, signal);
      if (catalog.version === seen) await this.#rest(catalog, signal);
      return this.#polls.add(() => read({ ...mode, wait: POLL_WAIT }, signal), { signal });
    };
    const checkPermissions: Query<T>['checkPermissions'] = (result, missing, signal) =>
      this.#reads.add(() => query.checkPermissions(result, missing, signal), { signal });
    return { ...query, execute, checkPermissions };
  }

  get #isOverLimit(): boolean {
    return this.#members.size > this.#options.limit;
  }

  /** Undefined if each service may have a blocking query. */
  #catalogOf(datacenter: Datacenter): CatalogWatch | undefined {
    if (!this.#isOverLimit) return undefined;
    const open = () => new CatalogWatch((onMove) => this.#options.watchCatalog(datacenter, onMove));
    const catalog = this.#catalogs.get(datacenter) ?? open();
    this.#catalogs.set(datacenter, catalog);
    return catalog;
  }

  #closeUnused(): void {
    const used = new Set(this.#isOverLimit ? this.#members.values() : []);
    for (const [datacenter, catalog] of this.#catalogs) {
      if (used.has(datacenter)) continue;
      this.#catalogs.delete(datacenter);
      catalog.close();
    }
  }

  /** Waits until the catalog changes or some time has passed. */
  async #rest(catalog: CatalogWatch, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options.timing;
    const ending = new AbortController();
    const either = { signal: AbortSignal.any([signal, ending.signal]) };
    const timer = clock.sleep((LONGEST_REST * (1 + random())) / 2, either.signal);
    await Promise.race([once(catalog, 'moved', either), timer]).finally(() => ending.abort());
  }
}

class CatalogWatch extends EventEmitter<{ moved: [] }> {
  readonly #tables: readonly Watched<unknown>[];
  /** Changes with each change of the catalog. */
  version = Symbol('version');

  constructor(watchTables: (onMove: () => void) => readonly Watched<unknown>[]) {
    super();
    this.setMaxListeners(0);
    this.#tables = watchTables(() => this.#move());
  }

  close(): void {
    for (const table of this.#tables) table.close();
    this.#move();
  }

  #move(): void {
    this.version = Symbol('version');
    this.emit('moved');
  }
}
