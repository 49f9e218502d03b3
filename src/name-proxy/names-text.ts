/**
 * What is granted in a namespace, as a text for its kernel needs it, and as people read it.
 */
import { formatName, nameOfKey } from '../dns/name.ts';
import type { HeldAddresses } from '../features/egress/name-facts.ts';
import { elementKey, FORGOTTEN, type GrantElement, type HeldGrant } from '../features/names/grant.ts';
import type { Reservation } from '../features/names/grant-table.ts';
import type { GrantedName } from '../features/names/name-report.ts';
import { formatPrefix } from '../net/address.ts';
import type { ClassNumbers } from '../policy/port-classes.ts';

/** What a text has of the names. */
export interface NamesText {
  /** At the start of each datagram. Flows that are admitted by name belong to it. */
  readonly secret: Uint8Array;
  readonly granted: readonly TextElement[];
  /** Not granted any more, but flows that were admitted earlier may go on. */
  readonly kept: readonly GrantElement[];
}

/** A granted address. */
export interface TextElement extends GrantElement {
  /** Seconds that it still lasts, from now. */
  readonly seconds: number;
}

/** By the numbers of the text; it has no set for other classes. */
export const heldIn = ({ granted, kept }: NamesText, numbers: ClassNumbers): HeldAddresses => {
  const numbered = <T extends GrantElement>(elements: readonly T[]) =>
    elements.flatMap(({ portClass, ...one }) => {
      const number = numbers.get(portClass);
      return number === undefined ? [] : [{ ...one, number }];
    });
  return { granted: numbered(granted), kept: numbered(kept) };
};

/** Each element once, for its longest time: what the kernel has, and what was reserved for the text. */
export const elementsOf = (
  held: readonly HeldGrant[],
  reserved: readonly Reservation[],
  now: number,
): readonly TextElement[] => {
  const all = [
    ...reserved.flatMap(({ send }) => send.map((one) => ({ ...one, seconds: one.timeout }))),
    ...granted(held, now).map((one) => ({ ...one, seconds: Math.ceil((one.until - now) / 1000) })),
  ].map(({ portClass, address, seconds }) => ({ portClass, address, seconds }));
  const longest = new Map<string, TextElement>();
  for (const one of all) {
    const key = elementKey(one);
    if ((longest.get(key)?.seconds ?? 0) < one.seconds) longest.set(key, one);
  }
  return [...longest.values()];
};

const granted = (held: readonly HeldGrant[], now: number): readonly HeldGrant[] =>
  held.filter(({ until }) => until > now);

/** Sorted by name, then by address. */
export const grantedNames = (held: readonly HeldGrant[], now: number): readonly GrantedName[] =>
  granted(held, now)
    .map(({ name, address, portClass, needed, until }) => ({
      ...{ name: printName(name), address: formatPrefix(address), ports: portClass },
      until: Math.min(needed, until),
    }))
    .sort((a, b) => compare(a.name, b.name) || compare(a.address, b.address));

const printName = (key: string): string => (key === FORGOTTEN ? '(unknown)' : formatName(nameOfKey(key)));

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
