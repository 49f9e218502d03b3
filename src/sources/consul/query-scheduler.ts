/**
 * Bounds the connections and the requests of one host, as Consul allows a client 200 connections and resets
 * those beyond (tried on 1.8):
 *
 * - Up to `limit` services have a blocking query each, and hear of a change at once.
 * - More than `limit` have none. A watch of their datacenter's catalog tells that something moved, or that the
 *   watch was lost, and then each service is polled, fifty a second; it also is once in some minutes.
 * - Reads that do not block never stand behind those that do.
 */
import { EventEmitter, once } from 'node:events';
import PQueue from 'p-queue';
import type { Watched } from '../../inventory/sources.ts';
import type { Query } from './query.ts';
import type { Timing } from './timing.ts';

/** At once, of first reads and of polls each. With 80 blocking queries, two runs stay below 200. */
const CONCURRENCY = 16;
/** Fifty polls a second: what Consul's servers carry for each host. */
const POLL_RATE = { interval: 200, intervalCap: 10 };
/** How long a poll blocks, in ms: longer than one server hears of a change after another. */
const POLL_WAIT = 200;
/** The longest time between two polls, in ms: a service counts as stale after a quarter of an hour. */
const LONGEST_REST = 560_000;

/** `undefined`: the agent's own. */
export type Datacenter = string | undefined;

export interface QuerySchedulerOptions {
  readonly limit: number;
  readonly timing: Timing;
  /** Watches the tables of a catalog; calls back when one has moved, and when one was lost. */
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

  /** Counts a service in; the result counts it out. */
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

  get #isCrowded(): boolean {
    return this.#members.size > this.#options.limit;
  }

  /** `undefined`: there is room for a blocking query of each service. */
  #catalogOf(datacenter: Datacenter): CatalogWatch | undefined {
    if (!this.#isCrowded) return undefined;
    const open = () => new CatalogWatch((onMove) => this.#options.watchCatalog(datacenter, onMove));
    const catalog = this.#catalogs.get(datacenter) ?? open();
    this.#catalogs.set(datacenter, catalog);
    return catalog;
  }

  #closeUnused(): void {
    const used = new Set(this.#isCrowded ? this.#members.values() : []);
    for (const [datacenter, catalog] of this.#catalogs) {
      if (used.has(datacenter)) continue;
      this.#catalogs.delete(datacenter);
      catalog.close();
    }
  }

  /** Until the catalog moves, or some time has passed. */
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
  /** Another one for each move. */
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
