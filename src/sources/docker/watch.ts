/**
 * The running containers, kept up to date.
 *
 * Subscribe, then list, so that no change is missed. An event only marks a container, which is then read. The list is repeated after every reconnect, and from time to time, as a stream
 * can stall without ending; only containers that are listed otherwise than before are inspected then. A container
 * that cannot be read is tried again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, delay } from '../../common/backoff.ts';
import { EngineError } from '../../common/errors.ts';
import { JobQueue, PRIORITY } from '../../common/job-queue.ts';
import { waitUntil } from '../../common/wait-until.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { Watched } from '../../inventory/sources.ts';
import { ContainerReader, type LacksRawSockets } from './container-reader.ts';
import type { Engine } from './engine.ts';
import { EngineUnreachable, engineError, isHttpError } from './errors.ts';
import { affectedContainer } from './events.ts';
import { jsonLines } from './json-lines.ts';
import { type Containers, KnownContainers } from './known-containers.ts';
import { Relist } from './relist.ts';

export interface WatchSettings {
  /** Milliseconds between two lists. */
  readonly relistEvery: number;
  /** Milliseconds that a list waits for the containers in it. */
  readonly patience: number;
  /** Containers inspected at the same time. */
  readonly concurrency: number;
  readonly backoff: Backoff;
  /** By the host's clock, as the Engine reads it. */
  readonly now: () => number;
  /** By a clock that nobody sets. */
  readonly steadyNow: () => number;
  readonly random: () => number;
  readonly lacksRawSockets?: LacksRawSockets | undefined;
}

/** Milliseconds: the Engine may be silent about a container for as long as the container's processes like. */
const SLOW = 1_000;

export class ContainerWatch implements Watched<Containers> {
  #confirmedAt: number | undefined;
  #lost: Error | undefined;
  #failures = 0;
  readonly #engine: Engine;
  readonly #settings: WatchSettings;
  readonly #onChange: () => void;
  readonly #known = new KnownContainers();
  readonly #retrying = new Set<ContainerId>();
  /** Those that were started while they were being read. */
  readonly #started = new Set<ContainerId>();
  readonly #reader: ContainerReader;
  readonly #queue: JobQueue<ContainerId>;
  readonly #relist = new Relist();
  readonly #closed = new AbortController();

  constructor(engine: Engine, settings: WatchSettings, onChange: () => void) {
    this.#engine = engine;
    this.#reader = new ContainerReader(engine, settings.lacksRawSockets);
    this.#settings = settings;
    this.#onChange = onChange;
    this.#queue = new JobQueue({
      concurrency: settings.concurrency,
      patience: SLOW,
      run: (id) => this.#read(id),
      onDefect: (error) => this.#lose(error),
    });
    void this.#keepGoing();
  }

  get value(): Containers | undefined {
    return this.#known.snapshot;
  }

  get confirmedAt(): number | undefined {
    return this.#confirmedAt;
  }

  get error(): Error | undefined {
    return this.#lost ?? this.#known.error;
  }

  close(): void {
    this.#closed.abort();
    void this.#queue.close();
  }

  async #keepGoing(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      try {
        await this.#session();
      } catch (error) {
        this.#lose(error);
        await this.#pause(this.#delay(++this.#failures));
      }
    }
  }

  /** One subscription and one list. Ends in peace when the next list is due, as streams can stall. */
  async #session(): Promise<void> {
    // The Engine answers before it has subscribed us; the events since then close that gap.
    const since = Math.floor(this.#settings.now() / 1000) - 2;
    const stream = await this.#engine.events(since);
    const stop = () => stream.destroy();
    this.#closed.signal.addEventListener('abort', stop, { once: true });
    try {
      const following = this.#follow(stream);
      await Promise.race([following, this.#list()]);
      this.#confirm();
      await Promise.race([following, this.#pause(this.#settings.relistEvery)]);
    } finally {
      this.#closed.signal.removeEventListener('abort', stop);
      stop();
    }
  }

  async #follow(stream: AsyncIterable<unknown>): Promise<never> {
    for await (const event of jsonLines(stream)) {
      const affected = affectedContainer(event);
      if (affected.kind === 'container') this.#happened(affected);
      if (affected.kind === 'all') await this.#listAll();
    }
    throw new EngineUnreachable(`The Docker Engine at ${this.#engine.address} ended its stream of events.`);
  }

  /**
   * A start tells of its networks first, and the Engine answers an inspection that this caused when the start is over:
   * then all is known already. A start that follows an end is told after that end, so whoever runs by a read that
   * began after the end, and of whom nothing is left to be read, is whom the start is about.
   */
  #happened({ id, isStart }: { readonly id: ContainerId; readonly isStart: boolean }): void {
    const state = this.#queue.stateOf(id);
    if (isStart && state === 'running') this.#started.add(id);
    else if (!isStart || state === 'waiting' || !this.#known.isCurrent(id))
      void this.#queue.request(id, PRIORITY.refresh);
  }

  #listAll(): Promise<void> {
    this.#relist.forget();
    return this.#list();
  }

  /**
   * Containers for which the Engine needs long come later, so that the others need not wait for them.
   *
   * A container that is not listed any more is read too: it may have started after the list was made.
   */
  async #list(): Promise<void> {
    const listedAt = this.#settings.now();
    const listed = await this.#engine.running();
    const changed = this.#relist.changed(listed, listedAt);
    const comeOrGone = this.#known.ids.symmetricDifference(new Set(listed.map(({ id }) => id)));
    const ids = new Set([...changed, ...comeOrGone, ...this.#known.unreadable]);
    const reads = Promise.all([...ids].map((id) => this.#queue.request(id, PRIORITY.verify)));
    const all = await waitUntil(this.#settings.patience, reads, undefined);
    const { unreachable, error } = this.#known;
    if (unreachable !== undefined) throw unreachable;
    if (all !== undefined && error === undefined) this.#confirmedAt = this.#settings.steadyNow();
  }

  /** The list was read. */
  #confirm(): void {
    if (this.#closed.signal.aborted) return;
    this.#failures = 0;
    const wasLost = this.#lost !== undefined;
    this.#lost = undefined;
    if (this.#known.complete() || wasLost) this.#onChange();
  }

  #lose(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#relist.forget();
    const before = this.#lost;
    this.#lost = engineError(error, 'watch events', this.#engine.address);
    if (before === undefined) this.#onChange();
  }

  async #read(id: ContainerId): Promise<void> {
    try {
      const container = await this.#reader.read(id);
      this.#learn(id, container.running ? container : undefined);
      this.#retryUnclear(container);
    } catch (error) {
      if (isHttpError(error, 404)) this.#learn(id, undefined);
      else this.#retryUnreadable(id, error instanceof Error ? error : new EngineError(String(error)));
    }
    if (this.#started.delete(id) && !this.#known.isCurrent(id))
      void this.#queue.request(id, PRIORITY.refresh);
  }

  #learn(id: ContainerId, container: Container | undefined): void {
    if (this.#known.learn(id, container) && !this.#closed.signal.aborted) this.#onChange();
  }

  /** An image that could not be read in time may be readable soon, and one that is gone may be pulled again. */
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
    await this.#pause(wait);
    this.#retrying.delete(id);
    if (!this.#closed.signal.aborted && this.#known.awaitsRetry(id))
      await this.#queue.request(id, PRIORITY.verify);
  }

  #delay(failures: number): number {
    return delay(failures, this.#settings.backoff, this.#settings.random);
  }

  /** Ends early, in peace, when the watch is closed. */
  async #pause(duration: number): Promise<void> {
    await sleep(duration, undefined, { signal: this.#closed.signal }).catch(() => {});
  }
}
