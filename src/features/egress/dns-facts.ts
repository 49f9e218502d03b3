/**
 * The resolvers of each namespace: a fact that a workload can make slow or make fail, so it is read apart
 * from the load, and a load takes what is known.
 *
 *     read ──► answer ──────────────────────────────► that
 *       │ while it is being read for the first time ──► of before, else the gate's, else all that the Engine gave
 *       └ fails ──► tried again, reported ────────────► of before, else none
 *
 * Until a read has failed a container must not lose its name resolution, and what the Engine gave is the most
 * that any answer could allow. Once it has failed, a workload that breaks the read gains nothing by it.
 */

import { type Backoff, delay } from '../../common/backoff.ts';
import { LoadError } from '../../common/errors.ts';
import { JobQueue, PRIORITY } from '../../common/job-queue.ts';
import type { Problem } from '../../common/problem.ts';
import { waitUntil } from '../../common/wait-until.ts';
import type { Container } from '../../inventory/container.ts';
import type { NamespaceId } from '../../inventory/namespace.ts';
import type { ContainerSource } from '../../inventory/sources.ts';
import type { WorkloadNamespace } from './workload-namespaces.ts';

export type ResolverSource = Pick<ContainerSource, 'resolvers' | 'resolversHere' | 'resolversGiven'>;

export interface DnsFactsOptions {
  readonly source: ResolverSource;
  /** Of the pauses between two reads that fail. */
  readonly retry: Backoff;
  readonly random: () => number;
  /** What a load of this namespace would take is another now. */
  readonly onChange: (id: NamespaceId) => void;
}

/** What a load may take. */
export interface KnownResolvers {
  readonly addresses: readonly string[];
  /** True if these were not read, and nothing was read before. */
  readonly isGuess: boolean;
}

interface Fact {
  readonly id: NamespaceId;
  readonly target: Container;
  readonly attachments: string;
  /** As read for these attachments. */
  answer: readonly string[] | undefined;
  /** As read for others before these. */
  readonly former: readonly string[] | undefined;
  /** Resolves when it is known whether it can be told at once. */
  begun: Promise<void>;
  error: Error | undefined;
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/** Milliseconds that a load waits for what this host's files tell, which takes less than one. */
const AT_ONCE = 250;

/** Milliseconds in which reads may end that are under way, so that they leave nothing behind. */
const CLOSING = 1000;

/** Reads at once: those that hang must not be many. First reads come before repeated ones. */
const READS = 2;

export class DnsFacts {
  readonly #options: DnsFactsOptions;
  readonly #facts = new Map<NamespaceId, Fact>();
  readonly #reads: JobQueue<NamespaceId>;

  constructor(options: DnsFactsOptions) {
    this.#options = options;
    this.#reads = new JobQueue({ concurrency: READS, run: (id) => this.#read(id), onDefect: () => {} });
  }

  /** Exactly these namespaces are read from now on. */
  follow(namespaces: readonly WorkloadNamespace[]): void {
    const current = new Set(namespaces.map(({ id }) => id));
    for (const [id, { timer }] of this.#facts) {
      if (current.has(id)) continue;
      clearTimeout(timer);
      this.#facts.delete(id);
    }
    for (const namespace of namespaces) this.#factOf(namespace);
  }

  /** `gate`: what the gate has allowed at the start. Never fails, and never waits for the workload. */
  async of(namespace: WorkloadNamespace, gate: readonly string[] | undefined): Promise<KnownResolvers> {
    const fact = this.#factOf(namespace);
    await waitUntil(AT_ONCE, fact.begun, undefined);
    const read = fact.answer ?? fact.former;
    if (read !== undefined) return { addresses: read, isGuess: false };
    if (fact.error !== undefined) return { addresses: [], isGuess: false };
    if (gate !== undefined) return { addresses: gate, isGuess: false };
    return { addresses: this.#options.source.resolversGiven(fact.target) ?? [], isGuess: true };
  }

  problem(id: NamespaceId): Problem | undefined {
    const fact = this.#facts.get(id);
    if (fact?.error === undefined || fact.answer !== undefined) return undefined;
    const meanwhile = fact.former === undefined ? 'it has none' : 'the previous ones stay';
    return {
      severity: 'warning',
      reason: `its DNS resolvers cannot be read, so ${meanwhile} until that succeeds; it is tried again (${fact.error.message})`,
    };
  }

  /** Resolves when no read goes on, or one that hangs has been waited for. */
  async close(): Promise<void> {
    this.follow([]);
    await waitUntil(CLOSING, this.#reads.close(), undefined);
  }

  #factOf(namespace: WorkloadNamespace): Fact {
    const { id, target } = namespace;
    const attachments = target.attachments.join();
    const known = this.#facts.get(id);
    if (known?.attachments === attachments) return known;
    clearTimeout(known?.timer);
    const fact: Fact = {
      ...{ id, target, attachments, answer: undefined, former: known?.answer ?? known?.former },
      ...{ begun: Promise.resolve(), error: undefined, failures: 0, timer: undefined },
    };
    this.#facts.set(id, fact);
    fact.begun = this.#begin(fact);
    return fact;
  }

  async #begin(fact: Fact): Promise<void> {
    const here = await this.#options.source.resolversHere(fact.target).catch(() => undefined);
    if (this.#facts.get(fact.id) !== fact) return;
    if (here === undefined) this.#reads.request(fact.id, PRIORITY.start);
    else fact.answer = here;
  }

  async #read(id: NamespaceId): Promise<void> {
    const fact = this.#facts.get(id);
    if (fact === undefined || fact.answer !== undefined) return;
    try {
      this.#learn(fact, await this.#options.source.resolvers(fact.target));
    } catch (error) {
      this.#fail(fact, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #learn(fact: Fact, answer: readonly string[]): void {
    if (this.#facts.get(fact.id) !== fact) return;
    fact.answer = answer;
    fact.error = undefined;
    this.#options.onChange(fact.id);
  }

  #fail(fact: Fact, error: Error): void {
    if (this.#facts.get(fact.id) !== fact) return;
    fact.failures += 1;
    // The Engine will soon say the same. If it does not, the container is not gone at all.
    const isGone = error instanceof LoadError && error.gone && fact.failures < GONE_IN_VAIN;
    const isNews = fact.error === undefined && !isGone;
    if (!isGone) fact.error = error;
    const { retry, random, onChange } = this.#options;
    const again = () => this.#reads.request(fact.id, PRIORITY.verify);
    fact.timer = setTimeout(again, delay(fact.failures, retry, random));
    if (isNews) onChange(fact.id);
  }
}

/** So many failures in a row because a container "is gone", and it is reported like any other. */
const GONE_IN_VAIN = 5;
