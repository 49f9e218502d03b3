/**
 * Collects what was refused: from time to time for logs and metrics, and at once when somebody asks.
 *
 * The kernel counts packets per destination and forgets both an hour later or at the next load, so
 * what it says is compared with what it said before. A destination is logged once per container and
 * window, however many packets there are.
 */
import { messageOf } from '../domain/errors.ts';
import type { Namespace, NamespaceId } from '../domain/namespace.ts';
import type { Dataplane, Logger, Refusal } from './ports.ts';

export interface SeenRefusal extends Refusal {
  /** When it was found to have packets that were new, in ms since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export interface RefusalReport {
  readonly container: string;
  readonly workloads: readonly string[];
  readonly mode: Namespace['mode'];
  readonly refusals: readonly SeenRefusal[];
  /** Why nothing could be read. */
  readonly error?: string;
}

export interface RefusalLogOptions {
  readonly dataplane: Pick<Dataplane, 'refusals'>;
  /** Those that hold rules now. */
  readonly namespaces: () => readonly Namespace[];
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds between two collections; 0: only on demand. */
  readonly interval: number;
}

/** Milliseconds in which a destination is logged once. */
const WINDOW = 10 * 60_000;
/** Lines of one container in one collection; a scan must not flood the log. */
const MOST_LINES = 20;
/** Namespaces that are read at once. */
const AT_ONCE = 2;

interface Trace {
  packets: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  loggedAt: number;
}

export class RefusalLog {
  readonly #options: RefusalLogOptions;
  readonly #traces = new Map<NamespaceId, Map<string, Trace>>();
  readonly #packets = new Map<string, number>();
  readonly #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> | undefined;

  constructor(options: RefusalLogOptions) {
    this.#options = options;
    if (options.interval > 0) this.#timer = setInterval(() => this.#collect(), options.interval);
  }

  /** Refused packets since the start, by the container's name. */
  get packets(): ReadonlyMap<string, number> {
    return this.#packets;
  }

  /** What the kernel knows now, of the namespaces that are chosen. */
  async read(choose: (namespace: Namespace) => boolean = () => true): Promise<readonly RefusalReport[]> {
    const waiting = this.#options.namespaces().filter(choose);
    const reports: RefusalReport[] = [];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        reports.push(await this.#readOne(next));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return reports.sort((a, b) => (a.container < b.container ? -1 : 1));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** A collection that takes longer than the interval is not overtaken. */
  #collect(): void {
    this.#running ??= this.read()
      .then(() => this.#forget())
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #readOne(namespace: Namespace): Promise<RefusalReport> {
    const { id, name, pid, startedAt } = namespace.target;
    const about = {
      container: name,
      workloads: namespace.members.map(({ container }) => container.name),
      mode: namespace.mode,
    };
    try {
      const refusals = await this.#options.dataplane.refusals({ owner: id, name, pid, startedAt });
      return { ...about, refusals: this.#note(namespace, refusals) };
    } catch (error) {
      this.#options.log.debug({ container: name, error: messageOf(error) }, 'refusals could not be read');
      return { ...about, refusals: [], error: messageOf(error) };
    }
  }

  #note(namespace: Namespace, refusals: readonly Refusal[]): readonly SeenRefusal[] {
    const now = this.#options.now();
    const before = this.#traces.get(namespace.id) ?? new Map<string, Trace>();
    const traces = new Map<string, Trace>();
    const due: Refusal[] = [];
    for (const refusal of refusals) {
      const trace = this.#follow(namespace, refusal, before.get(idOf(refusal)), now);
      traces.set(idOf(refusal), trace);
      if (trace.lastSeenAt === now && now - trace.loggedAt >= WINDOW) due.push(refusal);
    }
    this.#traces.set(namespace.id, traces);
    for (const refusal of this.#report(namespace, due)) {
      const trace = traces.get(idOf(refusal));
      if (trace !== undefined) trace.loggedAt = now;
    }
    return refusals.map((refusal) => {
      const { firstSeenAt = now, lastSeenAt = now } = traces.get(idOf(refusal)) ?? {};
      return { ...refusal, firstSeenAt, lastSeenAt };
    });
  }

  /** A lower count than before means that the kernel began anew. */
  #follow(namespace: Namespace, { packets }: Refusal, known: Trace | undefined, now: number): Trace {
    const added = known === undefined || packets < known.packets ? packets : packets - known.packets;
    const { name } = namespace.target;
    this.#packets.set(name, (this.#packets.get(name) ?? 0) + added);
    if (known === undefined) {
      return { packets, firstSeenAt: now, lastSeenAt: now, loggedAt: Number.NEGATIVE_INFINITY };
    }
    known.packets = packets;
    if (added > 0) known.lastSeenAt = now;
    return known;
  }

  /** Returns what was logged. */
  #report({ target, mode }: Namespace, due: readonly Refusal[]): readonly Refusal[] {
    const message = mode === 'audit' ? 'destination would be refused' : 'destination refused';
    const shown = due.slice(0, MOST_LINES);
    for (const refusal of shown) this.#options.log.warn({ container: target.name, ...refusal }, message);
    const more = due.length - shown.length;
    if (more > 0) this.#options.log.warn({ container: target.name, more }, 'more destinations refused');
    return due;
  }

  #forget(): void {
    const known = new Set(this.#options.namespaces().map(({ id }) => id));
    for (const id of this.#traces.keys()) if (!known.has(id)) this.#traces.delete(id);
  }
}

const idOf = ({ address, protocol, port }: Refusal): string => `${protocol} ${address} ${port ?? ''}`;
