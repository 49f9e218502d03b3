/**
 * The running containers, kept up to date.
 *
 * Subscribe, then list, so that nothing falls between. An event only marks a container; what is true is
 * read from the container. The list is repeated after every reconnect, and from time to time, as a stream
 * can stall without ending; those that look as before are not inspected then. A container that cannot be
 * read is tried again and does not hold up the others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Backoff, delay } from '../../common/backoff.ts';
import { EngineError } from '../../common/errors.ts';
import { waitUntil } from '../../common/wait-until.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { Watched } from '../../inventory/sources.ts';
import { ContainerReader, type LacksRawSockets } from './container-reader.ts';
import type { Engine } from './engine.ts';
import { EngineUnreachable, engineError, isRefusal } from './errors.ts';
import { affectedContainer } from './events.ts';
import { jsonLines } from './json-lines.ts';
import { Relist } from './relist.ts';
import { WorkQueue } from './work-queue.ts';

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

type Containers = ReadonlyMap<ContainerId, Container>;

export class ContainerWatch implements Watched<Containers> {
  #value: Containers | undefined;
  #confirmedAt: number | undefined;
  #lost: Error | undefined;
  #failures = 0;
  readonly #engine: Engine;
  readonly #settings: WatchSettings;
  readonly #onChange: () => void;
  readonly #known = new Map<ContainerId, Container>();
  readonly #unreadable = new Map<ContainerId, { readonly error: Error; readonly times: number }>();
  readonly #retrying = new Set<ContainerId>();
  /** Of whose image nothing is known, and how often that was so. */
  readonly #unclear = new Map<ContainerId, number>();
  readonly #reader: ContainerReader;
  readonly #revisits: WorkQueue;
  readonly #relist = new Relist();
  readonly #closed = new AbortController();

  constructor(engine: Engine, settings: WatchSettings, onChange: () => void) {
    this.#engine = engine;
    this.#reader = new ContainerReader(engine, settings.lacksRawSockets);
    this.#settings = settings;
    this.#onChange = onChange;
    this.#revisits = new WorkQueue((id) => this.#visit(id), settings.concurrency);
    void this.#keepGoing();
  }

  get value(): Containers | undefined {
    return this.#value;
  }

  get confirmedAt(): number | undefined {
    return this.#confirmedAt;
  }

  get error(): Error | undefined {
    if (this.#lost !== undefined) return this.#lost;
    const [first] = this.#unreadable.values();
    const others = this.#unreadable.size - 1;
    if (first === undefined || others === 0) return first?.error;
    return new EngineError(`${first.error.message} (and ${others} more)`, { cause: first.error });
  }

  close(): void {
    this.#closed.abort();
    this.#revisits.clear();
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
      this.#found();
      await Promise.race([following, this.#pause(this.#settings.relistEvery)]);
    } finally {
      this.#closed.signal.removeEventListener('abort', stop);
      stop();
    }
  }

  async #follow(stream: AsyncIterable<unknown>): Promise<never> {
    for await (const event of jsonLines(stream)) {
      const concern = affectedContainer(event);
      if (concern.kind === 'container') void this.#revisits.markUrgent(concern.id);
      if (concern.kind === 'all') await this.#listAll();
    }
    throw new EngineUnreachable(`The Docker Engine at ${this.#engine.address} ended its stream of events.`);
  }

  #listAll(): Promise<void> {
    this.#relist.forget();
    return this.#list();
  }

  /**
   * Containers that the Engine is slow to tell come later, so that the others need not wait for them.
   *
   * A container that is not listed any more is looked at too: it may have started after the list was made.
   */
  async #list(): Promise<void> {
    const listedAt = this.#settings.now();
    const listed = await this.#engine.running();
    const left = new Set(this.#known.keys()).difference(new Set(listed.map(({ id }) => id)));
    const unknown = listed.map(({ id }) => id).filter((id) => !this.#known.has(id));
    const changed = this.#relist.changed(listed, listedAt);
    const ids = new Set([...changed, ...unknown, ...left, ...this.#unreadable.keys()]);
    const visits = Promise.all([...ids].map((id) => this.#revisits.mark(id)));
    const all = await waitUntil(this.#settings.patience, visits, undefined);
    const unreachable = [...this.#unreadable.values()].find(
      ({ error }) => error instanceof EngineUnreachable,
    );
    if (unreachable !== undefined) throw unreachable.error;
    if (all !== undefined && this.#unreadable.size === 0) this.#confirmedAt = this.#settings.steadyNow();
  }

  /** The list was read. */
  #found(): void {
    if (this.#closed.signal.aborted) return;
    this.#failures = 0;
    const news = this.#value === undefined || this.#lost !== undefined;
    this.#lost = undefined;
    this.#value ??= new Map(this.#known);
    if (news) this.#onChange();
  }

  #lose(error: unknown): void {
    if (this.#closed.signal.aborted) return;
    this.#relist.forget();
    const before = this.#lost;
    this.#lost = engineError(error, 'watch events', this.#engine.address);
    if (before === undefined) this.#onChange();
  }

  async #visit(id: ContainerId): Promise<void> {
    try {
      const container = await this.#reader.read(id);
      this.#learn(id, container.running ? container : undefined);
      this.#askAgain(container);
    } catch (error) {
      if (isRefusal(error, 404)) this.#learn(id, undefined);
      else this.#tryLater(id, error instanceof Error ? error : new EngineError(String(error)));
    }
  }

  #learn(id: ContainerId, container: Container | undefined): void {
    if (container === undefined) this.#unclear.delete(id);
    const wasUnreadable = this.#unreadable.delete(id);
    const same = isDeepStrictEqual(this.#known.get(id), container);
    if (container === undefined) this.#known.delete(id);
    else this.#known.set(id, container);
    if ((same && !wasUnreadable) || this.#value === undefined || this.#closed.signal.aborted) return;
    this.#value = new Map(this.#known);
    this.#onChange();
  }

  /** An image that could not be read in time may be readable soon, and one that is gone may be pulled again. */
  #askAgain({ id, running, image }: Container): void {
    const times = (this.#unclear.get(id) ?? 0) + 1;
    if (!running || image !== 'unknown') {
      this.#unclear.delete(id);
      return;
    }
    this.#unclear.set(id, times);
    const { backoff, relistEvery, random } = this.#settings;
    void this.#retry(id, delay(times, { first: backoff.first, most: relistEvery }, random));
  }

  /** Keeps what was known of it. */
  #tryLater(id: ContainerId, error: Error): void {
    const before = this.#unreadable.get(id);
    const times = (before?.times ?? 0) + 1;
    this.#unreadable.set(id, { error, times });
    if (before === undefined && this.#value !== undefined) this.#onChange();
    void this.#retry(id, this.#delay(times));
  }

  async #retry(id: ContainerId, wait: number): Promise<void> {
    if (this.#retrying.has(id)) return;
    this.#retrying.add(id);
    await this.#pause(wait);
    this.#retrying.delete(id);
    if (!this.#closed.signal.aborted && (this.#unreadable.has(id) || this.#unclear.has(id)))
      await this.#revisits.mark(id);
  }

  #delay(failures: number): number {
    return delay(failures, this.#settings.backoff, this.#settings.random);
  }

  /** Ends early, in peace, when the watch is closed. */
  async #pause(duration: number): Promise<void> {
    await sleep(duration, undefined, { signal: this.#closed.signal }).catch(() => {});
  }
}
