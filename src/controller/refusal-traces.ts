/**
 * What is remembered of one container's refusals between two looks at its kernel.
 *
 * The kernel's counts begin anew with each load and each start of the container, and a destination
 * that nobody tries is forgotten after an hour. None of that may make old news new.
 */
import type { NamespaceId } from '../domain/namespace.ts';
import type { Refusal } from './ports.ts';

export interface SeenRefusal extends Refusal {
  /** When it was found to have packets that were new, in ms since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

export interface Noted {
  readonly seen: readonly SeenRefusal[];
  /** Those with new packets that were not told in this window. */
  readonly news: readonly Refusal[];
  /** Packets since the last look. */
  readonly added: number;
}

/** Milliseconds in which a destination is told once. */
const WINDOW = 10 * 60_000;

interface Trace {
  /** By the kernel's last count; 0 where it has begun anew. */
  packets: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  toldAt: number;
}

export class RefusalTraces {
  #namespace: NamespaceId | undefined;
  #traces: ReadonlyMap<string, Trace> = new Map();

  note(namespace: NamespaceId, refusals: readonly Refusal[], now: number): Noted {
    if (namespace !== this.#namespace) for (const trace of this.#traces.values()) trace.packets = 0;
    this.#namespace = namespace;
    const held = new Map(refusals.map((refusal) => [idOf(refusal), this.#traceOf(refusal, now)]));
    const steps = refusals.map((refusal) => ({ refusal, ...advance(held.get(idOf(refusal)), refusal, now) }));
    this.#traces = new Map([...this.#recent(now, held), ...held]);
    return {
      seen: steps.map(({ refusal, firstSeenAt, lastSeenAt }) => ({ ...refusal, firstSeenAt, lastSeenAt })),
      news: steps.filter(({ isNews }) => isNews).map(({ refusal }) => refusal),
      added: steps.reduce((sum, { added }) => sum + added, 0),
    };
  }

  /** True if nothing was told in this window, so that nothing need be remembered. */
  isQuiet(now: number): boolean {
    return [...this.#traces.values()].every(({ toldAt }) => now - toldAt >= WINDOW);
  }

  #traceOf(refusal: Refusal, now: number): Trace {
    const known = this.#traces.get(idOf(refusal));
    return known ?? { packets: 0, firstSeenAt: now, lastSeenAt: now, toldAt: Number.NEGATIVE_INFINITY };
  }

  /** What the kernel no longer has, as long as it must not be told again. */
  #recent(now: number, held: ReadonlyMap<string, Trace>): readonly (readonly [string, Trace])[] {
    return [...this.#traces]
      .filter(([id, { toldAt }]) => !held.has(id) && now - toldAt < WINDOW)
      .map(([id, trace]) => [id, { ...trace, packets: 0 }]);
  }
}

/** A lower count than before means that the kernel began anew. */
function advance(trace: Trace | undefined, { packets }: Refusal, now: number) {
  if (trace === undefined) return { firstSeenAt: now, lastSeenAt: now, added: 0, isNews: false };
  const added = packets < trace.packets ? packets : packets - trace.packets;
  trace.packets = packets;
  if (added > 0) trace.lastSeenAt = now;
  const isNews = added > 0 && now - trace.toldAt >= WINDOW;
  if (isNews) trace.toldAt = now;
  return { firstSeenAt: trace.firstSeenAt, lastSeenAt: trace.lastSeenAt, added, isNews };
}

const idOf = ({ address, protocol, port }: Refusal): string => `${protocol} ${address} ${port ?? ''}`;
