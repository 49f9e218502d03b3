/**
 * A resolver with a cache before it. Equal questions that come while one of them is asked wait for its answer.
 */
import type { Answer } from '../dns/answer.ts';
import { RCODE } from '../dns/codes.ts';
import type { AskedQuestion } from '../dns/question.ts';
import { type AnswerCache, questionKey } from './answer-cache.ts';
import type { NameResolver } from './resolver.ts';

export interface ResolverCounts {
  /** Questions that another resolver was asked. */
  asked: number;
  /** Those that the cache has answered. */
  cached: number;
  /** Those that have waited for an equal one. */
  shared: number;
  /** Those that nobody has answered, or with an error. */
  failed: number;
  /** Milliseconds until the answers of other resolvers, together. */
  waited: number;
}

export class CachingResolver implements NameResolver {
  readonly counts: ResolverCounts = { asked: 0, cached: 0, shared: 0, failed: 0, waited: 0 };
  /** Questions without an answer since the last one that had one, and when the last of them ended. */
  #silent = { count: 0, at: 0 };
  readonly #inner: NameResolver;
  /** Undefined: nothing is kept. */
  readonly #cache: AnswerCache | undefined;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<Answer | undefined>>();

  constructor(inner: NameResolver, cache: AnswerCache | undefined, now: () => number) {
    this.#inner = inner;
    this.#cache = cache;
    this.#now = now;
  }

  /** Whether nobody answers, as far as known from the questions of the last minutes. */
  get isSilent(): boolean {
    const { count, at } = this.#silent;
    return count >= SILENT && this.#now() - at < FORGOTTEN;
  }

  ask(question: AskedQuestion, asker: string): Promise<Answer | undefined> {
    const key = questionKey(question);
    const cached = this.#cache?.get(key, this.#now());
    if (cached !== undefined) {
      this.counts.cached++;
      return Promise.resolve(cached);
    }
    const running = this.#running.get(key);
    if (running !== undefined) {
      this.counts.shared++;
      return running;
    }
    const asked = this.#ask(key, question, asker);
    this.#running.set(key, asked);
    // Also after an error, which must not be the answer from now on.
    const end = () => this.#running.delete(key);
    asked.then(end, end);
    return asked;
  }

  close(): void {
    this.#inner.close();
  }

  async #ask(key: string, question: AskedQuestion, asker: string): Promise<Answer | undefined> {
    this.counts.asked++;
    const since = this.#now();
    const answer = await this.#inner.ask(question, asker);
    this.#count(answer, since);
    if (answer !== undefined) this.#cache?.put(key, question, answer, this.#now());
    return answer;
  }

  #count(answer: Answer | undefined, since: number): void {
    const now = this.#now();
    this.counts.waited += now - since;
    if (answer === undefined || isError(answer)) this.counts.failed++;
    this.#silent = { count: answer === undefined ? this.#silent.count + 1 : 0, at: now };
  }
}

/** One name alone may have servers that do not answer. */
const SILENT = 3;
/** Milliseconds after which nobody knows. */
const FORGOTTEN = 10 * 60_000;

const isError = ({ rcode }: Answer): boolean => rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN;
