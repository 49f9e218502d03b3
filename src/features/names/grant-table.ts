/**
 * The addresses that are granted by name in one namespace: what the kernel's sets hold, which names hold each, and
 * until when. Limits count here, because a full set of the kernel takes no grant and says nothing.
 *
 * A grant has two moments: it is reserved before it is sent to the kernel, and confirmed when the kernel has it. Only
 * confirmed grants count as granted, so an answer cannot leave before.
 */
import {
  addressKey,
  DEFAULT_LIMITS,
  elementKey,
  type GrantElement,
  type GrantLimits,
  type HeldGrant,
  type SentGrant,
  uniqueGrants,
  type WantedGrant,
} from './grant.ts';
import { Holdings } from './holdings.ts';
import { PastGrants } from './past-grants.ts';

/** The grants of one answer. */
export interface Reservation {
  /** To be sent to the kernel before the answer leaves; often nothing. */
  readonly send: readonly SentGrant[];
  /** Says that the kernel has them. */
  readonly confirm: (now: number) => Confirmed;
  /** Says that the kernel may have some of them: they do not count as granted. Returns orphans, as `confirm`. */
  readonly cancel: (now: number) => readonly GrantElement[];
}

export interface Confirmed {
  /** All that the answer needs is granted, and its name still holds it. */
  readonly isGranted: boolean;
  /** The kernel has these, and no name holds them any more: they are to be removed at once, as after `retain`. */
  readonly orphans: readonly GrantElement[];
}

/** Which limit does not allow more. */
export interface Exceeded {
  readonly exceeded: keyof GrantLimits;
}

interface Entry extends GrantElement {
  /** Of the element and of its address: to make them anew takes longer than what they are needed for. */
  readonly key: string;
  readonly host: string;
  /** When the kernel drops it, in milliseconds; 0 while that is not confirmed. */
  until: number;
  /** The same, if the kernel has all that was sent. The entry stays until then: it may have to be removed. */
  sentUntil: number;
  /** Key of a name → until when the name needs it. */
  readonly names: Map<string, number>;
}

interface Held {
  readonly entry: Entry;
  readonly one: WantedGrant;
}

const elementOf = ({ portClass, address }: Entry): GrantElement => ({ portClass, address });

export class GrantTable {
  /** What names needed, and need no longer. */
  readonly past = new PastGrants();
  readonly #holdings: Holdings;
  readonly #entries = new Map<string, Entry>();
  /** Nothing is to be forgotten before. */
  #nextExpiry = Number.POSITIVE_INFINITY;

  constructor(limits: GrantLimits = DEFAULT_LIMITS) {
    this.#holdings = new Holdings(limits);
  }

  /** Addresses that are granted or reserved. */
  get size(): number {
    return this.#holdings.size;
  }

  /** Reserves what a name needs, or nothing if that exceeds a limit. Nothing is dropped early to make room. */
  reserve(name: string, grants: readonly WantedGrant[], now: number): Reservation | Exceeded {
    const entries = [...uniqueGrants(grants)].map(([key, one]) => ({ entry: this.#entryFor(key, one), one }));
    const added = entries.filter(({ entry }) => !entry.names.has(name)).length;
    const hosts = new Set(entries.map(({ entry }) => entry.host));
    const exceeded = this.#holdings.exceededBy(name, [...hosts], added);
    if (exceeded !== undefined) return { exceeded };
    for (const { entry, one } of entries) this.#assign(entry, name, now + one.grant * 1000);
    const sent = entries.filter(({ entry, one }) => isToBeSent(entry, one, now));
    for (const { entry, one } of sent) entry.sentUntil = Math.max(entry.sentUntil, now + one.timeout * 1000);
    return {
      send: sent.map(({ one }) => one),
      confirm: (at) => {
        const orphans = this.#orphans(name, sent, at);
        for (const { entry, one } of sent) this.#confirm(entry, now + one.timeout * 1000);
        return { isGranted: entries.every(({ entry }) => this.#isHeld(entry, name, at)), orphans };
      },
      cancel: (at) => this.#orphans(name, sent, at),
    };
  }

  /** Whether the kernel has the element. */
  isGranted(element: GrantElement, now: number): boolean {
    return (this.#entries.get(elementKey(element))?.until ?? 0) > now;
  }

  /** Whether the kernel may have the element, for a name or to be removed later. */
  has(element: GrantElement): boolean {
    return this.#entries.has(elementKey(element));
  }

  /**
   * Forgets what names need no longer, and what the kernel has dropped by its own clock; to be called about once a
   * second. Returns elements that the kernel would keep for longer, for a name that has gone: to be removed from it.
   */
  expire(now: number): readonly GrantElement[] {
    if (now < this.#nextExpiry) return [];
    const removed: GrantElement[] = [];
    this.#nextExpiry = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values()) {
      for (const [name, until] of entry.names) {
        if (until <= now) this.#end(entry, name);
        else this.#nextExpiry = Math.min(this.#nextExpiry, until);
      }
      if (entry.names.size > 0 && entry.sentUntil > now) continue;
      if (entry.sentUntil > now) removed.push(elementOf(entry));
      for (const name of entry.names.keys()) this.#end(entry, name);
      this.#drop(entry);
    }
    return removed;
  }

  /**
   * Takes their elements from names that a policy no longer allows them to. Returns those that no name holds any
   * more: they are to be removed from the kernel at once, before anything else is reserved, and their flows end.
   */
  retain(isAllowed: (name: string, element: GrantElement) => boolean): readonly GrantElement[] {
    const removed: GrantElement[] = [];
    for (const entry of this.#entries.values()) {
      for (const name of entry.names.keys()) if (!isAllowed(name, entry)) this.#release(entry, name);
      if (entry.names.size > 0) continue;
      removed.push(elementOf(entry));
      this.#drop(entry);
    }
    return removed;
  }

  /** All that names hold. */
  held(now: number): readonly HeldGrant[] {
    return [...this.#entries.values()].flatMap(({ portClass, address, until, sentUntil, names }) =>
      sentUntil > now
        ? [...names].map(([name, needed]) => ({ portClass, address, name, needed, until, atMost: sentUntil }))
        : [],
    );
  }

  /** Takes over what an earlier run has sent. Limits do not count: the kernel has these elements. */
  restore(grants: readonly HeldGrant[], now: number): void {
    for (const { name, needed, until, atMost, ...element } of grants) {
      if (atMost <= now) continue;
      const entry = this.#entryFor(elementKey(element), element);
      this.#assign(entry, name, needed);
      entry.until = Math.max(entry.until, until);
      entry.sentUntil = Math.max(entry.sentUntil, atMost);
    }
  }

  /** Those that nobody holds any more. The others last as long as the kernel may have them, which began to count late. */
  #orphans(name: string, sent: readonly Held[], now: number): readonly GrantElement[] {
    return sent.flatMap(({ entry, one }) => {
      const current = this.#entries.get(entry.key);
      if (current === undefined) return [elementOf(entry)];
      current.sentUntil = Math.max(current.sentUntil, now + one.timeout * 1000);
      if (current.names.has(name)) this.#assign(current, name, now + one.grant * 1000);
      return [];
    });
  }

  /** An entry that was dropped meanwhile was removed from the kernel too, after this grant: a new one says nothing of it. */
  #confirm(entry: Entry, until: number): void {
    if (this.#entries.get(entry.key) === entry) entry.until = Math.max(entry.until, until);
  }

  #isHeld(entry: Entry, name: string, now: number): boolean {
    return entry.until > now && entry.names.has(name) && this.#entries.get(entry.key) === entry;
  }

  /** The one that is there, or a new one, which counts when a name has it. */
  #entryFor(key: string, { portClass, address }: GrantElement): Entry {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    return { portClass, address, key, host: addressKey(address), until: 0, sentUntil: 0, names: new Map() };
  }

  #assign(entry: Entry, name: string, until: number): void {
    if (entry.names.size === 0) {
      this.#entries.set(entry.key, entry);
      this.#holdings.addElement(entry.host);
    }
    const before = entry.names.get(name);
    entry.names.set(name, Math.max(before ?? 0, until));
    this.#nextExpiry = Math.min(this.#nextExpiry, until);
    if (before === undefined) this.#holdings.hold(name, entry.host);
  }

  /** Its time is over. Flows that it has admitted may go on. */
  #end(entry: Entry, name: string): void {
    if (entry.until > 0) this.past.add(name, entry);
    this.#release(entry, name);
  }

  #release(entry: Entry, name: string): void {
    if (entry.names.delete(name)) this.#holdings.release(name, entry.host);
  }

  #drop(entry: Entry): void {
    for (const name of [...entry.names.keys()]) this.#release(entry, name);
    if (this.#entries.delete(entry.key)) this.#holdings.removeElement(entry.host);
  }
}

const isToBeSent = ({ until }: Entry, { enough }: WantedGrant, now: number): boolean =>
  until <= now || until < now + enough * 1000;
