/**
 * Keeps a subscription to the Engine's events, and lists again after each start of it: subscribe, then list, so that
 * no change is missed. Both are repeated after a failure, and from time to time, because a stream can stall without
 * ending.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, delay } from '../../common/backoff.ts';
import type { Engine } from './engine.ts';
import { EngineUnreachable } from './errors.ts';
import { type Affected, affectedBy } from './events.ts';
import { jsonLines } from './json-lines.ts';

export interface SubscriptionSettings {
  /** Milliseconds between two lists. */
  readonly relistEvery: number;
  readonly backoff: Backoff;
  /** By the host's clock, as the Engine reads it. */
  readonly now: () => number;
  readonly random: () => number;
}

export interface Subscriber {
  /** Must not fail. */
  onEvent(affected: Affected): Promise<void> | void;
  list(): Promise<void>;
  onListed(): void;
  /** The stream ended, or the list failed. */
  onLost(error: unknown): void;
}

export class Subscription {
  #failures = 0;
  readonly #engine: Engine;
  readonly #settings: SubscriptionSettings;
  readonly #subscriber: Subscriber;
  readonly #closed = new AbortController();

  constructor(engine: Engine, settings: SubscriptionSettings, subscriber: Subscriber) {
    this.#engine = engine;
    this.#settings = settings;
    this.#subscriber = subscriber;
    void this.#keepGoing();
  }

  get isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  close(): void {
    this.#closed.abort();
  }

  /** Ends early without an error when the subscription is closed. */
  async pause(duration: number): Promise<void> {
    await sleep(duration, undefined, { signal: this.#closed.signal }).catch(() => {});
  }

  async #keepGoing(): Promise<void> {
    const { backoff, random } = this.#settings;
    while (!this.isClosed) {
      try {
        await this.#subscribeAndList();
      } catch (error) {
        if (!this.isClosed) this.#subscriber.onLost(error);
        await this.pause(delay(++this.#failures, backoff, random));
      }
    }
  }

  /** One subscription and one list. Ends when the next list is due. */
  async #subscribeAndList(): Promise<void> {
    // The Engine answers before the subscription starts; `since` closes that gap.
    const since = Math.floor(this.#settings.now() / 1000) - 2;
    const stream = await this.#engine.events(since);
    const stop = () => stream.destroy();
    this.#closed.signal.addEventListener('abort', stop, { once: true });
    try {
      const following = this.#follow(stream);
      await Promise.race([following, this.#subscriber.list()]);
      this.#failures = 0;
      if (!this.isClosed) this.#subscriber.onListed();
      await Promise.race([following, this.pause(this.#settings.relistEvery)]);
    } finally {
      this.#closed.signal.removeEventListener('abort', stop);
      stop();
    }
  }

  async #follow(stream: AsyncIterable<unknown>): Promise<never> {
    for await (const event of jsonLines(stream)) await this.#subscriber.onEvent(affectedBy(event));
    throw new EngineUnreachable(`The Docker Engine at ${this.#engine.address} ended its stream of events.`);
  }
}
