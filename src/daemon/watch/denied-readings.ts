/**
 * Reads the denied destinations of kernels all the time, while somebody looks at them.
 *
 * The kernel's counters tell cheaply which namespaces may have denied something: those where connections failed are
 * read at once; those that only have traffic take turns, because most of it is allowed. Readings take a limited part
 * of the time, so where each is a container, or many namespaces deny at once, a denial is seen later.
 */
import type { Mode } from '../../inventory/workload.ts';

export interface WatchedNamespace {
  readonly id: string;
  readonly mode: Mode;
}

/** What its counters say. */
export interface Signs {
  /** Equal texts: nothing was denied in between. */
  readonly traffic: string;
  /** Differing texts: something was probably denied. */
  readonly denials: string;
}

export interface ReadingsOptions<Namespace extends WatchedNamespace> {
  readonly namespaces: () => readonly Namespace[];
  /** Undefined if they cannot be read. */
  readonly signs: (namespace: Namespace) => Promise<Signs | undefined>;
  /** The traffic before the last reading; undefined: it is not known. */
  readonly trafficAtReading: (namespace: Namespace) => string | undefined;
  /** Reads the kernel. Never fails. */
  readonly read: (namespace: Namespace) => Promise<unknown>;
  /** Called after readings. */
  readonly onRead: () => void;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Milliseconds between the beginnings of two rounds. */
const ROUND = 400;
/** The most milliseconds of readings in one round. */
const MOST_URGENT = 400;
const MOST_OTHERS = 50;
/** So many times as long as its readings a round rests. */
const REST_AFTER_URGENT = 1;
const REST_AFTER_OTHERS = 4;
/** Milliseconds between two readings of a namespace without a sign of denials: in audit mode there is never one. */
const GAP = 5_000;
const GAP_WITHOUT_SIGNS = 1_000;
/** Of reading counters: milliseconds of work between two pauses, and their length. */
const SLICE = 5;
const SLICE_PAUSE = 20;

/** A namespace that may have denied something. */
interface Due<Namespace> {
  readonly namespace: Namespace;
  readonly isUrgent: boolean;
  /** The signs before it is read. */
  readonly denials: string | undefined;
}

interface Last {
  readonly denials: string | undefined;
  readonly readAt: number;
}

export class DeniedReadings<Namespace extends WatchedNamespace> {
  readonly #options: ReadingsOptions<Namespace>;
  readonly #last = new Map<string, Last>();
  #isClosed = false;

  constructor(options: ReadingsOptions<Namespace>) {
    this.#options = options;
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    const { now, pause } = this.#options;
    while (!this.#isClosed) {
      const begunAt = now();
      const rest = await this.#round();
      await pause(Math.max(1, begunAt + ROUND - now(), rest));
    }
  }

  /** Returns how long to rest, in milliseconds. */
  async #round(): Promise<number> {
    const due = await this.#findDue();
    const [urgent = [], others = []] = [true, false].map((kind) =>
      due.filter(({ isUrgent }) => isUrgent === kind),
    );
    const onUrgent = await this.#readFor(MOST_URGENT, urgent);
    const onOthers = await this.#readFor(MOST_OTHERS, others);
    if (due.length > 0) this.#options.onRead();
    return onUrgent * REST_AFTER_URGENT + onOthers * REST_AFTER_OTHERS;
  }

  /** Reads at least one, and returns the milliseconds that it took. */
  async #readFor(most: number, due: readonly Due<Namespace>[]): Promise<number> {
    const { read, now } = this.#options;
    const begunAt = now();
    for (const { namespace, denials } of due) {
      if (this.#isClosed || now() - begunAt >= most) break;
      await read(namespace);
      this.#last.set(namespace.id, { denials, readAt: now() });
    }
    return now() - begunAt;
  }

  /** Those that were read longest ago come first. */
  async #findDue(): Promise<readonly Due<Namespace>[]> {
    const { namespaces, now, pause } = this.#options;
    const present = namespaces();
    this.#forget(new Set(present.map(({ id }) => id)));
    const due: Due<Namespace>[] = [];
    let end = now() + SLICE;
    for (const namespace of present.toSorted((one, other) => this.#readAt(one) - this.#readAt(other))) {
      if (this.#isClosed) return [];
      due.push(...(await this.#look(namespace)));
      if (now() < end) continue;
      await pause(SLICE_PAUSE);
      end = now() + SLICE;
    }
    return due;
  }

  async #look(namespace: Namespace): Promise<readonly Due<Namespace>[]> {
    const { signs, trafficAtReading, now } = this.#options;
    const seen = await signs(namespace);
    const denials = seen?.denials;
    const last = this.#last.get(namespace.id) ?? { denials, readAt: Number.NEGATIVE_INFINITY };
    this.#last.set(namespace.id, last);
    if (seen !== undefined && seen.traffic === trafficAtReading(namespace)) return [];
    const isUrgent = denials !== last.denials;
    const gap = seen === undefined || namespace.mode === 'audit' ? GAP_WITHOUT_SIGNS : GAP;
    return isUrgent || now() - last.readAt >= gap ? [{ namespace, isUrgent, denials }] : [];
  }

  #readAt({ id }: Namespace): number {
    return this.#last.get(id)?.readAt ?? Number.NEGATIVE_INFINITY;
  }

  #forget(present: ReadonlySet<string>): void {
    for (const id of this.#last.keys()) if (!present.has(id)) this.#last.delete(id);
  }
}
