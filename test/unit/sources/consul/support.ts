/** Stand-ins for time and for Consul, both driven by the test. */
import { BlockingQuery, type BlockingQueryOptions } from '../../../../src/sources/consul/blocking-query.ts';
import type { How } from '../../../../src/sources/consul/client.ts';
import type { Clock } from '../../../../src/sources/consul/clock.ts';
import type { Answer, Question } from '../../../../src/sources/consul/query.ts';

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
  readonly how: How;
  readonly resolve: (answer: Answer<string>) => void;
  readonly reject: (error: unknown) => void;
}

/** `content` lists one name per letter; the empty string is an empty answer. */
export const answer = (
  index: number,
  content: string,
  more: Partial<Answer<string>> = {},
): Answer<string> => ({
  value: content,
  digest: content,
  listed: new Set(content),
  index: BigInt(index),
  leaderKnown: true,
  lastContact: 0,
  ...more,
});

export class FakeQuestion implements Question<string> {
  readonly name = 'the letters';
  readonly confirmation = 'list a letter';
  readonly asked: How[] = [];
  readonly rightsChecked: (readonly string[])[] = [];
  /** Thrown by the next checks of rights. */
  denial: Error | undefined;
  aborted = 0;
  #pending: Pending | undefined;

  get pending(): Pending {
    if (this.#pending === undefined) throw new Error('Nothing is asked at the moment.');
    return this.#pending;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  ask(how: How, signal: AbortSignal): Promise<Answer<string>> {
    this.asked.push(how);
    return new Promise((resolve, reject) => {
      this.#pending = { how, resolve, reject };
      signal.addEventListener('abort', () => {
        this.aborted += 1;
        reject(signal.reason);
      });
    });
  }

  async checkRights(_answer: Answer<string>, missing: readonly string[]): Promise<void> {
    this.rightsChecked.push(missing);
    if (this.denial !== undefined) throw this.denial;
  }

  async reply(given: Answer<string>): Promise<void> {
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

/** A running query with everything that it touches. */
export async function startQuery(options: Partial<BlockingQueryOptions> = {}) {
  const clock = new ManualClock();
  const question = new FakeQuestion();
  const changes: (string | undefined)[] = [];
  const query: BlockingQuery<string> = new BlockingQuery(question, () => changes.push(query.value), {
    wait: () => 45_000,
    clock,
    backoff: { random: () => 1 },
    pace: { random: () => 0 },
    ...options,
  });
  /** Answers whatever is asked next, giving it the time to be asked. */
  const reply = async (given: Answer<string>) => {
    if (!question.isPending) await clock.advance(1_000);
    await question.reply(given);
  };
  await settle();
  return { clock, question, changes, query, reply };
}
