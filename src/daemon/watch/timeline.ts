/**
 * What happened on this host, for people: the latest events of each kind, so that many loads do not push out the one
 * edit that caused them.
 */
import type { LiveState } from '../../live/state.ts';
import type { EventKind, TimelineEvent } from '../../live/tables.ts';

type Events = LiveState['events'];

/** The most events of a kind, and characters of a text. */
const MOST_EACH = 200;
const LONGEST = 300;

export type NewEvent = Omit<TimelineEvent, 'at'>;

export class Timeline {
  readonly #now: () => number;
  readonly #kinds = new Map<EventKind, (readonly [string, TimelineEvent])[]>();
  #number = 0;
  #table: Events | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(...events: readonly NewEvent[]): void {
    for (const event of events)
      this.#addOne({ at: this.#now(), ...event, text: event.text.slice(0, LONGEST) });
  }

  /** By number, in order of time. The same object while nothing is added. */
  get table(): Events {
    this.#table ??= new Map(
      [...this.#kinds.values()].flat().toSorted(([one], [other]) => Number(one) - Number(other)),
    );
    return this.#table;
  }

  #addOne(event: TimelineEvent): void {
    this.#number += 1;
    const others = this.#kinds.get(event.kind) ?? [];
    others.push([String(this.#number), event]);
    if (others.length > MOST_EACH) others.shift();
    this.#kinds.set(event.kind, others);
    this.#table = undefined;
  }
}
