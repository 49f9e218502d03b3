/**
 * The DNS resolvers of each namespace. A workload can make this read slow or fail, so it is separate from the load,
 * and a load uses what is known.
 *
 *     read ──► answer ──────────────────────────────► that
 *       │ while it is being read for the first time ──► of before, else the gate's, else all that the Engine gave
 *       └ fails ──► tried again, reported ────────────► of before, else none
 *
 * Until a read has failed, a container must not lose DNS, and the configured resolvers are the most that any answer
 * can allow. After a failure, a workload that breaks the read must gain nothing.
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

export type ResolverSource = Pick<ContainerSource, 'resolvers' | 'resolversFromFile' | 'configuredResolvers'>;

export interface DnsFactsOptions {
  readonly source: ResolverSource;
  /** Pauses between two failed reads. */
  readonly retry: Backoff;
  readonly random: () => number;
  /** Called when a load of this namespace would use other resolvers. */
  readonly onChange: (id: NamespaceId) => void;
}

/** The resolvers for a load. */
export interface KnownResolvers {
  readonly addresses: readonly string[];
  /** True if these are a guess, because none have been read. */
  readonly isGuess: boolean;
}

interface Fact {
  readonly id: NamespaceId;
  readonly target: Container;
  readonly attachments: string;
  /** The result for the present attachments. */
  answer: readonly string[] | undefined;
  /** The result for the previous attachments. */
  readonly previous: readonly string[] | undefined;
  /** Resolves when it is known whether the file can be read at once. */
  fileRead: Promise<void>;
  error: Error | undefined;
  failures: number;
  timer: NodeJS.Timeout | undefined;
}

/** Milliseconds that a load waits for the files of this host; a read takes less than one. */
const AT_ONCE = 250;

/** Milliseconds that running reads get to end, so that they leave nothing behind. */
const CLOSING = 1000;

/** Reads at once; few, because they may block. First reads come before repeated ones. */
const READS = 2;

export class DnsFacts {
  readonly #options: DnsFactsOptions;
  readonly #facts = new Map<NamespaceId, Fact>();
  readonly #reads: JobQueue<NamespaceId>;

  constructor(options: DnsFactsOptions) {
    this.#options = options;
    this.#reads = new JobQueue({ concurrency: READS, run: (id) => this.#read(id), onDefect: () => {} });
  }

  /** Reads exactly these namespaces from now on. */
  follow(namespaces: readonly WorkloadNamespace[]): void {
    const current = new Set(namespaces.map(({ id }) => id));
    for (const [id, { timer }] of this.#facts) {
      if (current.has(id)) continue;
      clearTimeout(timer);
      this.#facts.delete(id);
    }
    for (const namespace of namespaces) this.#factOf(namespace);
  }

  /** `gate`: the resolvers that the gate allowed at the start. Never fails, and never waits for the workload. */
  async of(namespace: WorkloadNamespace, gate: readonly string[] | undefined): Promise<KnownResolvers> {
    const fact = this.#factOf(namespace);
    await waitUntil(AT_ONCE, fact.fileRead, undefined);
    const read = fact.answer ?? fact.previous;
    if (read !== undefined) return { addresses: read, isGuess: false };
    if (fact.error !== undefined) return { addresses: [], isGuess: false };
    if (gate !== undefined) return { addresses: gate, isGuess: false };
    return { addresses: this.#options.source.configuredResolvers(fact.target) ?? [], isGuess: true };
  }

  problem(id: NamespaceId): Problem | undefined {
    const fact = this.#facts.get(id);
    if (fact?.error === undefined || fact.answer !== undefined) return undefined;
    const meanwhile = fact.previous === undefined ? 'it has none' : 'the previous ones stay';
    return {
      severity: 'warning',
      reason: `its DNS resolvers cannot be read, so ${meanwhile} until that succeeds; it is tried again (${fact.error.message})`,
    };
  }

  /** Resolves when all reads have ended or timed out. */
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
      ...{ id, target, attachments, answer: undefined, previous: known?.answer ?? known?.previous },
      ...{ fileRead: Promise.resolve(), error: undefined, failures: 0, timer: undefined },
    };
    this.#facts.set(id, fact);
    fact.fileRead = this.#begin(fact);
    return fact;
  }

  async #begin(fact: Fact): Promise<void> {
    const here = await this.#options.source.resolversFromFile(fact.target).catch(() => undefined);
    if (this.#facts.get(fact.id) !== fact) return;
    if (here === undefined) this.#reads.request(fact.id, PRIORITY.start);
    else fact.answer = here;
  }

  async #read(id: NamespaceId): Promise<void> {
    const fact = this.#facts.get(id);
    if (fact === undefined || fact.answer !== undefined) return;
    try {
      this.#update(fact, await this.#options.source.resolvers(fact.target));
    } catch (error) {
      this.#fail(fact, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #update(fact: Fact, answer: readonly string[]): void {
    if (this.#facts.get(fact.id) !== fact) return;
    fact.answer = answer;
    fact.error = undefined;
    this.#options.onChange(fact.id);
  }

  #fail(fact: Fact, error: Error): void {
    if (this.#facts.get(fact.id) !== fact) return;
    fact.failures += 1;
    // The Engine will report that soon. Otherwise the container still exists.
    const isGone = error instanceof LoadError && error.gone && fact.failures < GONE_MEANWHILE;
    const isNew = fact.error === undefined && !isGone;
    if (!isGone) fact.error = error;
    const { retry, random, onChange } = this.#options;
    const again = () => this.#reads.request(fact.id, PRIORITY.verify);
    fact.timer = setTimeout(again, delay(fact.failures, retry, random));
    if (isNew) onChange(fact.id);
  }
}

/** After so many failures in a row because a container "is gone", the failure is reported like others. */
const GONE_MEANWHILE = 5;
