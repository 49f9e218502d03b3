/**
 * Records the names that a namespace asked for in vain, and counts its questions. Its size is bounded: a workload
 * chooses the names.
 */
import { typeName } from '../../dns/codes.ts';
import { formatName, type Name, nameKey } from '../../dns/name.ts';
import type { AskedQuestion } from '../../dns/question.ts';
import type { Cause } from './decision.ts';
import type { Received, Settled } from './exchange.ts';
import { type DenialCause, type DeniedName, type NameCounts, NO_COUNTS } from './name-report.ts';

/** Names that are kept for a namespace; those asked for longest ago are dropped. */
export const MOST_DENIED = 256;
/** Milliseconds for which a name is kept after it was last asked. */
export const KEPT_FOR = 60 * 60_000;
const MOST_TYPES = 4;
/** Characters of a reason: an answer may have hundreds of addresses. */
const LONGEST_REASON = 300;

interface Entry {
  readonly name: Name;
  readonly cause: DenialCause;
  reason: string | undefined;
  readonly types: Set<number>;
  count: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
}

/** `search`: a resolver made the name itself, and asks for the right one next. `hints`: it is answered, without data. */
const DENIED_BY: Readonly<Record<Cause, DenialCause | undefined>> = {
  ...{ name: 'name', type: 'type', fresh: 'fresh', search: undefined, hints: undefined },
};

/** Times are in milliseconds by the clock that is passed in. */
export class NameLog {
  /** The one asked for longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #denied: Record<DenialCause, number> = { ...NO_COUNTS.denied };
  #asked = 0;
  #answered = 0;
  #malformed = 0;
  #unlisted = 0;

  /** What became of a message; call it for each. A question that is passed on needs `settled` as well. */
  received(received: Received, now: number): void {
    if (received.kind === 'nothing' || received.question === undefined) {
      this.#malformed++;
      return;
    }
    this.#asked++;
    const { question } = received;
    if (received.kind === 'resolve') {
      const { wouldBe } = received.decision;
      const cause = wouldBe && DENIED_BY[wouldBe];
      if (cause !== undefined) this.#deny(question, cause, undefined, now);
      return;
    }
    const cause = received.cause && DENIED_BY[received.cause];
    if (cause === undefined) this.#answered++;
    else this.#deny(question, cause, undefined, now);
  }

  /** What became of a question that was passed on. */
  settled(
    question: AskedQuestion,
    { fault, exceeded, notGranted }: Pick<Settled, 'fault' | 'exceeded' | 'notGranted'>,
    now: number,
  ): void {
    if (fault !== undefined) {
      this.#deny(question, exceeded === undefined ? 'failed' : 'limit', fault, now);
      return;
    }
    this.#answered++;
    if (notGranted.length > 0) this.#deny(question, 'address', notGranted.join('; '), now);
  }

  /** The latest first. */
  denied(now: number): readonly DeniedName[] {
    this.#forget(now);
    return [...this.#entries.values()].reverse().map(({ name, types, ...entry }) => ({
      ...entry,
      name: formatName(name),
      types: [...types].map(typeName),
    }));
  }

  get counts(): NameCounts {
    return {
      ...{ asked: this.#asked, answered: this.#answered, malformed: this.#malformed },
      denied: { ...this.#denied },
    };
  }

  get unlisted(): number {
    return this.#unlisted;
  }

  #deny({ name, type }: AskedQuestion, cause: DenialCause, reason: string | undefined, now: number): void {
    this.#denied[cause]++;
    const key = `${cause} ${nameKey(name)}`;
    const entry = this.#entries.get(key) ?? {
      ...{ name, cause, reason, types: new Set(), count: 0, firstSeenAt: now, lastSeenAt: now },
    };
    entry.count++;
    entry.lastSeenAt = now;
    entry.reason = reason?.slice(0, LONGEST_REASON);
    if (entry.types.size < MOST_TYPES) entry.types.add(type);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#dropOldest();
  }

  #dropOldest(): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size <= MOST_DENIED || oldest === undefined) return;
    this.#entries.delete(oldest);
    this.#unlisted++;
  }

  #forget(now: number): void {
    for (const [key, { lastSeenAt }] of this.#entries) {
      if (lastSeenAt > now - KEPT_FOR) return;
      this.#entries.delete(key);
    }
  }
}
