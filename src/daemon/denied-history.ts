/**
 * Keeps the history of denied destinations by the container's name, so that after a restart of a container they are
 * not new.
 */
import {
  agedSummary,
  DENIED_RETENTION,
  type DeniedRecord,
  type DeniedSummary,
  KERNEL_KEEPS,
} from '../inventory/denied-record.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import { DeniedFlowTracker, type TrackedFlow, type TrackerState } from './denied-flow-tracker.ts';

/** The state on disk. */
export interface DeniedState {
  /** The watched period, in ms since the epoch. */
  readonly startedAt: number;
  readonly savedAt: number;
  /** By the container's name. */
  readonly containers: readonly (readonly [string, TrackerState])[];
}

export class DeniedHistory {
  readonly #trackers = new Map<string, DeniedFlowTracker>();
  readonly #summaries = new Map<string, DeniedSummary>();
  readonly #startedAt: number;

  /** `previous`: the state of the previous run. */
  constructor(previous: DeniedState | undefined, now: number) {
    this.#startedAt = watchedSince(previous, now);
    for (const [name, state] of previous?.containers ?? []) {
      const tracker = new DeniedFlowTracker(state);
      this.#trackers.set(name, tracker);
      this.#summaries.set(name, tracker.current(now).summary);
    }
  }

  /** The state for the next run. */
  state(now: number): DeniedState {
    const containers = [...this.#trackers].map(([name, tracker]) => [name, tracker.state()] as const);
    return { startedAt: this.#startedAt, savedAt: now, containers };
  }

  summaries(now: number): ReadonlyMap<string, DeniedSummary> {
    return new Map([...this.#summaries].map(([name, summary]) => [name, agedSummary(summary, now)]));
  }

  /** The covered period before `now`, in milliseconds. */
  covers(now: number, isWatched: boolean): number {
    const watched = isWatched ? now - this.#startedAt : 0;
    return Math.min(DENIED_RETENTION, Math.max(KERNEL_KEEPS, watched));
  }

  /** The known history of a container, without reading its kernel. */
  current(name: string, now: number): Pick<TrackedFlow, 'seen' | 'summary'> | undefined {
    return this.#trackers.get(name)?.current(now);
  }

  /** The containers with a history. */
  get names(): readonly string[] {
    return [...this.#trackers.keys()];
  }

  record(name: string, namespace: NamespaceId, record: DeniedRecord, now: number): TrackedFlow {
    const tracker = this.#trackers.get(name) ?? new DeniedFlowTracker();
    this.#trackers.set(name, tracker);
    const tracked = tracker.record(namespace, record, now);
    this.#summaries.set(name, tracked.summary);
    return tracked;
  }

  /**
   * Removes containers that are gone, and returns their names. Recently logged ones stay, because they may come back.
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

/** The kernel keeps denied destinations for this long without a controller. */
const watchedSince = (previous: DeniedState | undefined, now: number): number =>
  previous !== undefined && previous.savedAt <= now && now - previous.savedAt < KERNEL_KEEPS
    ? previous.startedAt
    : now;
