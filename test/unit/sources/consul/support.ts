/** Stand-ins for time and for Consul, both driven by the test. */
import { BlockingQuery, type BlockingQueryOptions } from '../../../../src/sources/consul/blocking-query.ts';
import type { ReadMode } from '../../../../src/sources/consul/client.ts';
import type { Query, QueryResult } from '../../../../src/sources/consul/query.ts';
import { ReconnectCoordinator } from '../../../../src/sources/consul/reconnect-coordinator.ts';
import { type Clock, defaultTiming, type Timing } from '../../../../src/sources/consul/timing.ts';

/** Lets all that is ready to run, run. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class ManualClock implements Clock {
  time = 1_000_000;
  readonly #sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();

  now(): number {
    return this.time;
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { until: this.time + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves on, waking sleepers in order; what they start may sleep and be woken too. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settle();
      const [next] = [...this.#sleepers].toSorted((a, b) => a.until - b.until);
      if (next === undefined || next.until > end) break;
      this.#sleepers.delete(next);
      this.time = Math.max(this.time, next.until);
      next.wake();
    }
    this.time = end;
    await settle();
  }
}

/** One request that waits for the test to answer it. */
interface Pending {
  readonly mode: ReadMode;
  readonly resolve: (result: QueryResult<string>) => void;
  readonly reject: (error: unknown) => void;
}

/** `content` lists one name per letter; the empty string is an empty result. */
export const result = (
  index: number,
  content: string,
  more: Partial<QueryResult<string>> = {},
): QueryResult<string> => ({
  value: content,
  digest: content,
  listed: new Set(content),
  index: BigInt(index),
  leaderKnown: true,
  lastContact: 0,
  ...more,
});

export class FakeQuery implements Query<string> {
  readonly name = 'the letters';
  readonly confirmation = 'list a letter';
  readonly executed: ReadMode[] = [];
  readonly permissionsChecked: (readonly string[])[] = [];
  /** Thrown by the next checks of permissions. */
  denial: Error | undefined;
  aborted = 0;
  #pending: Pending | undefined;

  get pending(): Pending {
    if (this.#pending === undefined) throw new Error('No query runs at the moment.');
    return this.#pending;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  // An arrow function, as the scheduler copies it.
  execute = (mode: ReadMode, signal: AbortSignal): Promise<QueryResult<string>> => {
    this.executed.push(mode);
    return new Promise((resolve, reject) => {
      this.#pending = { mode, resolve, reject };
      signal.addEventListener('abort', () => {
        this.aborted += 1;
        reject(signal.reason);
      });
    });
  };

  async checkPermissions(_result: unknown, missing: readonly string[]): Promise<void> {
    this.permissionsChecked.push(missing);
    if (this.denial !== undefined) throw this.denial;
  }

  async reply(given: QueryResult<string>): Promise<void> {
    const { resolve } = this.pending;
    this.#pending = undefined;
    resolve(given);
    await settle();
  }

  async fail(error: unknown): Promise<void> {
    const { reject } = this.pending;
    this.#pending = undefined;
    reject(error);
    await settle();
  }
}

export const timingOf = (clock: Clock, random: () => number, longestPause = 5_000): Timing => ({
  ...defaultTiming,
  ...{ clock, random, longestPause },
});

/** `random`: chance, 1 where nothing is said. */
export interface StartOptions extends Partial<BlockingQueryOptions> {
  readonly random?: () => number;
  readonly longestPause?: number;
}

/** A running watch with everything that it touches. */
export async function startQuery({ random = () => 1, longestPause, ...options }: StartOptions = {}) {
  const clock = new ManualClock();
  const query = new FakeQuery();
  const changes: (string | undefined)[] = [];
  const timing = timingOf(clock, random, longestPause);
  const onChange = () => changes.push(watch.value);
  const coordinator = new ReconnectCoordinator(timing);
  const settings = { wait: 45_000, timing, coordinator, ...options };
  const watch: BlockingQuery<string> = new BlockingQuery(query, onChange, settings);
  /** Answers the next read, and gives it the time to begin. */
  const reply = async (given: QueryResult<string>) => {
    if (!query.isPending) await clock.advance(1_000);
    await query.reply(given);
  };
  await settle();
  return { clock, query, changes, watch, reply };
}
