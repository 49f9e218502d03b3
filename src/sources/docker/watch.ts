/**
 * The running containers, kept up to date.
 *
 * An event only marks a container, which is then read. Of a repeated list only containers that are listed otherwise than
 * before are inspected. A container that cannot be read is tried again.
 */
import { delay } from '../../common/backoff.ts';
import { EngineError } from '../../common/errors.ts';
import { JobQueue, PRIORITY } from '../../common/job-queue.ts';
import { waitUntil } from '../../common/wait-until.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { WatchedEngine } from '../../inventory/sources.ts';
import { ContainerReader, type ReaderSettings } from './container-reader.ts';
import type { Engine } from './engine.ts';
import { engineError, isHttpError } from './errors.ts';
import type { Affected } from './events.ts';
import { type Containers, KnownContainers } from './known-containers.ts';
import { NetworkWatch } from './network-watch.ts';
import { Relist } from './relist.ts';
import { Subscription, type SubscriptionSettings } from './subscription.ts';

export interface WatchSettings extends SubscriptionSettings, ReaderSettings {
  /** Milliseconds that a list waits for the inspections of its containers. */
  readonly listLimit: number;
  /** Containers inspected at the same time. */
  readonly concurrency: number;
  /** By a clock that cannot be set. */
  readonly steadyNow: () => number;
}

/**
 * Milliseconds: the Engine may not answer about a container for as long as the container's processes block it.
 */
const SLOW = 1_000;

export class ContainerWatch implements WatchedEngine {
  readonly networks: NetworkWatch;
  #confirmedAt: number | undefined;
  #failure: Error | undefined;
  readonly #engine: Engine;
  readonly #settings: WatchSettings;
  readonly #onChange: () => void;
  readonly #known = new KnownContainers();
  readonly #retrying = new Set<ContainerId>();
  /** Containers that were started while they were being read. */
  readonly #started = new Set<ContainerId>();
  readonly #reader: ContainerReader;
  readonly #queue: JobQueue<ContainerId>;
  readonly #relist = new Relist();
  readonly #subscription: Subscription;

  constructor(engine: Engine, settings: WatchSettings, onChange: () => void) {
    this.#engine = engine;
    this.#reader = new ContainerReader(engine, settings);
    this.#settings = settings;
    this.#onChange = onChange;
    this.#queue = new JobQueue({
      concurrency: settings.concurrency,
      releaseAfter: SLOW,
      run: (id) => this.#read(id),
      onDefect: (error) => this.#onFailure(error),
    });
    this.networks = new NetworkWatch(engine, settings, () => {
      if (this.value !== undefined) onChange();
    });
    this.#subscription = new Subscription(engine, settings, {
      onEvent: (affected) => this.#onEvent(affected),
      list: () => this.#list(),
      onListed: () => this.#confirm(),
      onLost: (error) => this.#onFailure(error),
    });
  }

  get value(): Containers | undefined {
    return this.#known.snapshot;
  }

  get unreadable(): ReadonlySet<ContainerId> {
    return this.#known.unreadable;
  }

  get confirmedAt(): number | undefined {
    return this.#confirmedAt;
  }

  get error(): Error | undefined {
    return this.#failure ?? this.#known.error;
  }

  close(): void {
    this.#subscription.close();
    this.networks.close();
    void this.#queue.close();
  }

  async #onEvent(affected: Affected): Promise<void> {
    if (affected.kind === 'container') this.#containerChanged(affected);
    if (affected.kind === 'network') this.networks.read(affected.id);
    if (affected.kind === 'all') await this.#listAll();
  }

  /**
   * The Engine sends the events of a start's networks first, and answers an inspection that they cause after the start
   * is over: then everything is known already. A start after an end is reported after that end. So if the container
   * runs by a read that began after the end, and no further read is waiting, this read includes the start.
   */
  #containerChanged({ id, isStart }: { readonly id: ContainerId; readonly isStart: boolean }): void {
    const state = this.#queue.stateOf(id);
    if (isStart && state === 'running') this.#started.add(id);
    else if (!isStart || state === 'waiting' || !this.#known.isCurrent(id))
      void this.#queue.request(id, PRIORITY.refresh);
  }

  #listAll(): Promise<void> {
    this.#relist.forget();
    this.networks.markStale();
    return this.#list();
  }

  /**
   * Containers with a slow inspection are added later, so that the others need not wait for them.
   *
   * A container that is no longer listed is read too: it may have started after the list was made.
   */
  async #list(): Promise<void> {
    const listedAt = this.#settings.now();
    const listing = this.#engine.running();
    this.networks.listIfStale();
    const listed = await listing;
    const changed = this.#relist.changed(listed, listedAt);
    const appearedOrGone = this.#known.ids.symmetricDifference(new Set(listed.map(({ id }) => id)));
    const ids = new Set([...changed, ...appearedOrGone, ...this.#known.unreadable]);
    const reads = Promise.all([...ids].map((id) => this.#queue.request(id, PRIORITY.verify)));
    await waitUntil(
      this.#settings.listLimit,
      reads.then(() => this.#readAll()),
      undefined,
    );
    const { unreachable } = this.#known;
    if (unreachable !== undefined) throw unreachable;
  }

  /**
   * Also later than a list waits: an image with megabytes of settings takes the Engine seconds, at each start, and would
   * keep those waiting who need all containers.
   */
  #readAll(): void {
    if (this.#known.error !== undefined || this.#subscription.isClosed) return;
    const isFirst = this.#confirmedAt === undefined;
    this.#confirmedAt = this.#settings.steadyNow();
    if (isFirst && this.value !== undefined) this.#onChange();
  }

  /** Call this when the list was read. */
  #confirm(): void {
    const hadFailed = this.#failure !== undefined;
    this.#failure = undefined;
    if (this.#known.complete() || hadFailed) this.#onChange();
  }

  #onFailure(error: unknown): void {
    if (this.#subscription.isClosed) return;
    this.#relist.forget();
    this.networks.markStale();
    const before = this.#failure;
    this.#failure = engineError(error, 'watch events', this.#engine.address);
    if (before === undefined) this.#onChange();
  }

  async #read(id: ContainerId): Promise<void> {
    try {
      const container = await this.#reader.read(id);
      this.#update(id, container.running ? container : undefined);
      this.networks.readUnknown(container.networks.map((network) => network.id));
      this.#retryUnclear(container);
    } catch (error) {
      if (isHttpError(error, 404)) this.#update(id, undefined);
      else this.#retryUnreadable(id, error instanceof Error ? error : new EngineError(String(error)));
    }
    if (this.#started.delete(id) && !this.#known.isCurrent(id))
      void this.#queue.request(id, PRIORITY.refresh);
  }

  #update(id: ContainerId, container: Container | undefined): void {
    if (this.#known.update(id, container) && !this.#subscription.isClosed) this.#onChange();
  }

  /** An image that could not be read in time may be readable soon, and a removed one may be pulled again. */
  #retryUnclear(container: Container): void {
    const times = this.#known.countUnclear(container);
    if (times === undefined) return;
    const { backoff, relistEvery, random } = this.#settings;
    void this.#retry(container.id, delay(times, { first: backoff.first, most: relistEvery }, random));
  }

  #retryUnreadable(id: ContainerId, error: Error): void {
    const times = this.#known.failed(id, error);
    if (times === 1 && this.value !== undefined) this.#onChange();
    void this.#retry(id, this.#delay(times));
  }

  async #retry(id: ContainerId, wait: number): Promise<void> {
    if (this.#retrying.has(id)) return;
    this.#retrying.add(id);
    await this.#subscription.pause(wait);
    this.#retrying.delete(id);
    if (!this.#subscription.isClosed && this.#known.awaitsRetry(id))
      await this.#queue.request(id, PRIORITY.verify);
  }

  #delay(failures: number): number {
    return delay(failures, this.#settings.backoff, this.#settings.random);
  }
}
