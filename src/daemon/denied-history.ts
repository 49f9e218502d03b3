/**
 * What is remembered of denied destinations, by the container's name, so that a restart does not make it all new.
 */
import {
  agedSummary,
  type DeniedRecord,
  type DeniedSummary,
  KEPT,
  KERNEL_KEEPS,
} from '../inventory/denied-record.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import { DeniedFlowTracker, type TrackedFlow, type TrackerState } from './denied-flow-tracker.ts';

/** The state on disk. */
export interface DeniedState {
  /** Since when it was watched, and until when, in ms since the epoch. */
  readonly startedAt: number;
  readonly savedAt: number;
  /** By the container's name. */
  readonly containers: readonly (readonly [string, TrackerState])[];
}

export class DeniedHistory {
  readonly #trackers = new Map<string, DeniedFlowTracker>();
  readonly #summaries = new Map<string, DeniedSummary>();
  readonly #startedAt: number;

  /** `previous`: what an earlier run of the controller kept. */
  constructor(previous: DeniedState | undefined, now: number) {
    this.#startedAt = watchedSince(previous, now);
    for (const [name, state] of previous?.containers ?? []) {
      const tracker = new DeniedFlowTracker(state);
      this.#trackers.set(name, tracker);
      this.#summaries.set(name, tracker.told(now).summary);
    }
  }

  /** What another run of the controller is to know. */
  state(now: number): DeniedState {
    const containers = [...this.#trackers].map(([name, tracker]) => [name, tracker.state()] as const);
    return { startedAt: this.#startedAt, savedAt: now, containers };
  }

  summaries(now: number): ReadonlyMap<string, DeniedSummary> {
    return new Map([...this.#summaries].map(([name, summary]) => [name, agedSummary(summary, now)]));
  }

  /** For how many milliseconds before `now` what was denied is known, if it was watched. */
  covers(now: number, isWatched: boolean): number {
    const watched = isWatched ? now - this.#startedAt : 0;
    return Math.min(KEPT, Math.max(KERNEL_KEEPS, watched));
  }

  /** What is known of a container without its kernel. */
  told(name: string, now: number): Pick<TrackedFlow, 'seen' | 'summary'> | undefined {
    return this.#trackers.get(name)?.told(now);
  }

  note(name: string, namespace: NamespaceId, record: DeniedRecord, now: number): TrackedFlow {
    const tracker = this.#trackers.get(name) ?? new DeniedFlowTracker();
    this.#trackers.set(name, tracker);
    const tracked = tracker.note(namespace, record, now);
    this.#summaries.set(name, tracked.summary);
    return tracked;
  }

  /**
   * Forgets containers that are gone, and returns their names. What was logged lately is kept: they may come back.
   */
  forget(present: ReadonlySet<string>, now: number): readonly string[] {
    const gone = [...this.#trackers].filter(([name, tracker]) => !present.has(name) && tracker.isQuiet(now));
    for (const [name] of gone) {
      this.#trackers.delete(name);
      this.#summaries.delete(name);
    }
    return gone.map(([name]) => name);
  }
}

/** While no controller ran, the kernel kept what was denied for so long. */
const watchedSince = (previous: DeniedState | undefined, now: number): number =>
  previous !== undefined && previous.savedAt <= now && now - previous.savedAt < KERNEL_KEEPS
    ? previous.startedAt
    : now;
