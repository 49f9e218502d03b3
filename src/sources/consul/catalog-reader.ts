/**
 * Reads all instances of the agent's datacenter, to find the services at an address: Consul has no index by address.
 * The catalog is read on demand and cached for a minute, any server may answer, and few requests run at a time.
 * Concurrent callers share one read.
 */
import PQueue from 'p-queue';
import { z } from 'zod';
import { messageOf } from '../../common/errors.ts';
import { steadyNow } from '../../common/steady-clock.ts';
import type { Instance } from '../../inventory/service.ts';
import { ConsulClient } from './client.ts';
import { type ConsulOptions, settingsOf } from './options.ts';
import { parseJson } from './parse.ts';
import { serviceQuery } from './query.ts';

/** The instances by service. */
export interface Catalog {
  readonly services: ReadonlyMap<string, readonly Instance[]>;
  /** The services that could not be read, and the reasons. */
  readonly unread: ReadonlyMap<string, string>;
}

export interface CatalogIndexOptions {
  /** Milliseconds for which the catalog is cached; default 60 s. */
  readonly maxAge?: number;
  /** Requests at a time; default 8. */
  readonly concurrency?: number;
  readonly now?: () => number;
}

/** The most services that are read at once. */
const MOST_SERVICES = 2_000;

export class CatalogReader {
  readonly #client: ConsulClient;
  readonly #options: Required<CatalogIndexOptions>;
  #last: { readonly at: number; readonly catalog: Promise<Catalog> } | undefined;

  constructor(
    options: ConsulOptions,
    { maxAge = 60_000, concurrency = 8, now = steadyNow }: CatalogIndexOptions = {},
  ) {
    this.#client = new ConsulClient(settingsOf(options));
    this.#options = { maxAge, concurrency, now };
  }

  /** Fails with a `ConsulError` if the services cannot be listed; then the next call reads again. */
  read(): Promise<Catalog> {
    const { maxAge, now } = this.#options;
    if (this.#last !== undefined && now() - this.#last.at < maxAge) return this.#last.catalog;
    const catalog = this.#readAll();
    this.#last = { at: now(), catalog };
    catalog.catch(() => {
      this.#last = undefined;
    });
    return catalog;
  }

  close(): void {
    this.#client.close();
  }

  async #readAll(): Promise<Catalog> {
    const names = await serviceNames(this.#client);
    const services = new Map<string, readonly Instance[]>();
    const unread = new Map(names.slice(MOST_SERVICES).map((name) => [name, 'there are too many services']));
    // An answer that takes longer will not arrive soon.
    const signal = AbortSignal.timeout(this.#client.settings.timeout);
    const readOne = async (service: string) => {
      const query = serviceQuery(this.#client, { service, datacenter: undefined });
      await query.execute({ kind: 'stale' }, signal).then(
        ({ value }) => services.set(service, value),
        (error: unknown) => unread.set(service, messageOf(error)),
      );
    };
    const queue = new PQueue({ concurrency: this.#options.concurrency });
    await queue.addAll(names.slice(0, MOST_SERVICES).map((name) => () => readOne(name)));
    return { services, unread };
  }
}

/** The services of the agent's datacenter, sorted. Fails with a `ConsulError`. */
async function serviceNames(client: ConsulClient): Promise<readonly string[]> {
  const what = 'the list of services';
  const { body } = await client.send({ what, mode: { kind: 'stale' } }, ({ catalog }, common) =>
    catalog.service.list(common),
  );
  return Object.keys(parseJson(z.record(z.string(), z.unknown()), body, what)).sort();
}
