/**
 * The networks of the Engine, kept up to date by the events that the containers' watch receives.
 *
 * All networks are listed at the start and after a failure of the Engine; a network that is created or removed is read
 * alone. Without events nothing is requested. A network without an event is read once a container is attached to it. A
 * failure here delays no container.
 */
import { isDeepStrictEqual } from 'node:util';
import { delay } from '../../common/backoff.ts';
import { JobQueue, PRIORITY } from '../../common/job-queue.ts';
import type { NetworkId, Networks } from '../../inventory/network.ts';
import type { Watched } from '../../inventory/sources.ts';
import type { Engine } from './engine.ts';
import { engineError } from './errors.ts';
import type { SubscriptionSettings } from './subscription.ts';

interface NetworkWatchSettings extends Pick<SubscriptionSettings, 'relistEvery' | 'backoff' | 'random'> {
  readonly steadyNow: () => number;
}

/** Used instead of a network's id. */
const ALL = '*';

export class NetworkWatch implements Watched<Networks> {
  value: Networks | undefined;
  error: Error | undefined;
  confirmedAt: number | undefined;
  #failures = 0;
  #isStale = true;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #engine: Engine;
  readonly #settings: NetworkWatchSettings;
  readonly #onChange: () => void;
  /** One request at a time, so that an older answer never replaces a newer one. */
  readonly #queue: JobQueue<NetworkId>;

  constructor(engine: Engine, settings: NetworkWatchSettings, onChange: () => void) {
    this.#engine = engine;
    this.#settings = settings;
    this.#onChange = onChange;
    this.#queue = new JobQueue({
      concurrency: 1,
      run: (id) => this.#run(id),
      onDefect: (error) => this.#fail(error),
    });
  }

  /** The events are subscribed: reads all networks unless they are known. */
  listIfStale(): void {
    if (this.#isStale) this.#request(ALL);
  }

  /** Events may have been missed. */
  markStale(): void {
    this.#isStale = true;
  }

  /** The network was created or removed. */
  read(id: NetworkId): void {
    this.#request(id);
  }

  /** A container is attached to these. */
  readUnknown(ids: readonly NetworkId[]): void {
    for (const id of ids) if (this.value?.has(id) === false) this.#request(id);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    void this.#queue.close();
  }

  #request(id: NetworkId): void {
    void this.#queue.request(id, PRIORITY.refresh);
  }

  async #run(id: NetworkId): Promise<void> {
    try {
      if (id === ALL) this.#update(await this.#readAll());
      else if (this.value !== undefined) this.#update(await this.#readOne(id, this.value));
    } catch (error) {
      this.#fail(error);
    }
  }

  async #readAll(): Promise<Networks> {
    this.#isStale = false;
    const all = await this.#engine.networks();
    return new Map(all.map((one) => [one.id, one]));
  }

  async #readOne(id: NetworkId, known: Networks): Promise<Networks> {
    const found = await this.#engine.network(id);
    const others = [...known].filter(([other]) => other !== id);
    return new Map(found === undefined ? others : [...others, [id, found]]);
  }

  #update(networks: Networks): void {
    if (this.#closed) return;
    const isSame = this.error === undefined && isDeepStrictEqual(this.value, networks);
    this.#failures = 0;
    this.error = undefined;
    this.confirmedAt = this.#settings.steadyNow();
    if (isSame) return;
    this.value = networks;
    this.#onChange();
  }

  /** After any failure all networks are listed again. */
  #fail(error: unknown): void {
    if (this.#closed) return;
    const { backoff, relistEvery, random } = this.#settings;
    const isNew = this.error === undefined;
    this.#isStale = true;
    this.error = engineError(error, 'read the networks', this.#engine.address);
    clearTimeout(this.#retry);
    const wait = delay(++this.#failures, { first: backoff.first, most: relistEvery }, random);
    this.#retry = setTimeout(() => this.listIfStale(), wait);
    if (isNew) this.#onChange();
  }
}
