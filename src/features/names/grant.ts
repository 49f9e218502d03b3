/**
 * Grants by name: elements of the kernel's sets, and what is said of them.
 */
import { nameKey } from '../../dns/name.ts';
import type { Prefix } from '../../net/address.ts';

/** An element of the set of a port class. */
export interface GrantElement {
  /** As `classOf` writes it. */
  readonly portClass: string;
  /** One host. */
  readonly address: Prefix;
}

/** What is to be sent to the kernel. */
export interface SentGrant extends GrantElement {
  /** Seconds from now for which it is needed. */
  readonly grant: number;
  /** Seconds from now for which the kernel keeps it: not less, and removed by us before that. */
  readonly timeout: number;
}

/** What a name needs. */
export interface WantedGrant extends SentGrant {
  /** Seconds that an existing grant must still last, or it is renewed. */
  readonly enough: number;
}

/**
 * In place of the key of a name: what an earlier run has granted, read back from the kernel, which knows no names. It is
 * the key of the root, which no rule is about.
 */
export const FORGOTTEN = nameKey([]);

/** What a name holds, in the form of the state file and of `explain`. */
export interface HeldGrant extends GrantElement {
  /** Key of the name. */
  readonly name: string;
  /** Until when the name needs it, in milliseconds by the clock that is passed in. */
  readonly needed: number;
  /** Until when the kernel has it, for whatever name; 0 if it may not have it. */
  readonly until: number;
  /** Until when the kernel may have it. */
  readonly atMost: number;
}

export interface GrantLimits {
  /** Addresses of a name. */
  readonly perName: number;
  /** Addresses of all names of a namespace. */
  readonly perNamespace: number;
}

export const DEFAULT_LIMITS: GrantLimits = { perName: 1_000, perNamespace: 10_000 };

export const addressKey = ({ family, address }: Prefix): string => `${family} ${address}`;
export const elementKey = ({ portClass, address }: GrantElement): string =>
  `${portClass} ${addressKey(address)}`;

/** Each element once, by its key, with its longest grant. */
export const uniqueGrants = (wanted: readonly WantedGrant[]): ReadonlyMap<string, WantedGrant> => {
  const byKey = new Map<string, WantedGrant>();
  for (const one of wanted) {
    const key = elementKey(one);
    if ((byKey.get(key)?.grant ?? 0) < one.grant) byKey.set(key, one);
  }
  return byKey;
};
