/**
 * Consul as the controller's source of rules and services.
 */
import type { Direction } from '../../common/direction.ts';
import { ConsulError } from '../../common/errors.ts';
import type { Instance, NodeService, ServiceRef } from '../../inventory/service.ts';
import type { RuleSource, Watched } from '../../inventory/sources.ts';
import { BlockingQuery, type BlockingQueryOptions } from './blocking-query.ts';
import { ConsulClient } from './client.ts';
import { nodeServicesQuery } from './node-services.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parsedInstances, parsedRules, type Rules } from './parse.ts';
import { type Query, rulesFolder, rulesQuery, serviceQuery, type Table, tableQuery } from './query.ts';
import { type Datacenter, QueryScheduler } from './query-scheduler.ts';
import { ReconnectCoordinator } from './reconnect-coordinator.ts';
import { defaultTiming, type Timing } from './timing.ts';

/**
 * How long a service is kept that is missing after Consul has lost its history: agents register their services again
 * at the next anti-entropy run, after one minute in a small cluster and a few in a large one.
 */
const SERVICE_TIMEOUT = 10 * 60_000;

export class ConsulRuleSource implements RuleSource {
  readonly #client: ConsulClient;
  readonly #timing: Timing;
  readonly #scheduler: QueryScheduler;
  readonly #coordinator: ReconnectCoordinator;
  readonly #watches = new Set<Watched<unknown>>();
  readonly #closing = new AbortController();

  /** Throws a `ConsulError` for invalid options; does not connect yet. */
  constructor(options: ConsulOptions, timing: Partial<Timing> = {}) {
    this.#client = new ConsulClient(settingsOf(options));
    this.#timing = { ...defaultTiming, ...timing };
    this.#coordinator = new ReconnectCoordinator(this.#timing);
    this.#scheduler = new QueryScheduler({
      limit: this.#client.settings.maxConnections,
      timing: this.#timing,
      watchCatalog: (datacenter, onMove) => this.#watchTables(datacenter, onMove),
    });
  }

  /** Ends within twice the timeout. */
  readRules(direction: Direction = 'egress'): Promise<Rules> {
    return this.#readOnce(rulesQuery(this.#client, direction));
  }

  /** The same, limited by the scheduler. */
  readService(ref: ServiceRef): Promise<readonly Instance[]> {
    return this.#readOnce(this.#scheduler.schedule(serviceQuery(this.#client, ref), ref.datacenter));
  }

  /** `previous`: what a previous run knew, see `BlockingQueryOptions`. */
  watchRules(onChange: () => void, previous?: Rules, direction: Direction = 'egress'): Watched<Rules> {
    const { settings } = this.#client;
    return this.#watch(rulesQuery(this.#client, direction), onChange, {
      ...{ wait: settings.waits.rules, isUrgent: true },
      previous: previous && parsedRules(previous, rulesFolder(settings, direction)),
    });
  }

  /** `previous`: what a previous run knew, see `BlockingQueryOptions`. */
  watchService(
    ref: ServiceRef,
    onChange: () => void,
    previous?: readonly Instance[],
  ): Watched<readonly Instance[]> {
    const { settings } = this.#client;
    const datacenter = ref.datacenter ?? settings.datacenter;
    const query = this.#scheduler.schedule(serviceQuery(this.#client, ref), datacenter);
    return this.#watch(query, onChange, {
      ...{ wait: settings.waits.services, timeout: SERVICE_TIMEOUT },
      previous: previous && parsedInstances(previous),
      onClose: this.#scheduler.join(datacenter),
    });
  }

  /** What an agent registers again is kept as long as that of a service. */
  watchNodeServices(node: string, onChange: () => void): Watched<readonly NodeService[]> {
    const { waits } = this.#client.settings;
    const options = { wait: waits.services, timeout: SERVICE_TIMEOUT };
    return this.#watch(nodeServicesQuery(this.#client, node), onChange, options);
  }

  /** Ends all watches, reads and connections. */
  close(): void {
    this.#closing.abort(new ConsulError('Consul is no longer asked: the source was closed.'));
    for (const watch of this.#watches) watch.close();
    this.#client.close();
  }

  /** Calls `onMove` after a change, and after an error, because changes may be missed then. */
  #watchTables(datacenter: Datacenter, onMove: () => void): readonly Watched<unknown>[] {
    const { waits, health } = this.#client.settings;
    const tables: readonly Table[] = [
      'services',
      'nodes',
      ...(health === 'passing' ? (['checks'] as const) : []),
    ];
    const options = { wait: waits.services, onError: onMove };
    return tables.map((table) => this.#watch(tableQuery(this.#client, table, datacenter), onMove, options));
  }

  #watch<T>(
    query: Query<T>,
    onChange: () => void,
    options: Omit<BlockingQueryOptions, 'timing' | 'coordinator'>,
  ): Watched<T> {
    this.#closing.signal.throwIfAborted();
    const onClose = () => {
      this.#watches.delete(watch);
      options.onClose?.();
    };
    const shared = { timing: this.#timing, coordinator: this.#coordinator, onClose };
    const watch = new BlockingQuery(query, onChange, { ...options, ...shared });
    this.#watches.add(watch);
    return watch;
  }

  async #readOnce<T>(query: Query<T>): Promise<T> {
    const { signal } = this.#closing;
    const result = await query.execute({ kind: 'consistent' }, signal);
    await query.checkPermissions(result, [], signal);
    return result.value;
  }
}
