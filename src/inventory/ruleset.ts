/**
 * Rules for the kernel of one network namespace, and their state in the kernel.
 */

/**
 * The feature whose rules these are. Each has tables of its own, named `egresstrator_<owner>`: what is loaded or cleared
 * for one owner leaves those of the others alone.
 */
export type RulesetOwner = string;

export interface Ruleset {
  readonly owner: RulesetOwner;
  /**
   * Complete: it replaces all that its owner has loaded. A set with the flag `dynamic` or `timeout` is volatile: its
   * elements change without a load.
   */
  readonly text: string;
  /** 32 hex digits, by which it is recognised. The text holds it. */
  readonly fingerprint: string;
}

/** What a namespace says an owner has loaded in it. All undefined: nothing. */
export interface Loaded {
  readonly fingerprint: string | undefined;
  /** The digest of the facts it was loaded with. */
  readonly facts: string | undefined;
  /** SHA-256 of the kernel's own listing of the owner's tables, without volatile elements and counters. */
  readonly digest: string | undefined;
  /**
   * SHA-256 of all that this state was read from, volatile elements as well. While it is the same, so is the state.
   */
  readonly listing?: string;
  /** True if the first process of its container is in another namespace. */
  readonly hasProcessLeft?: boolean;
  /** True if rules of others deny packets there as well, whatever ours allow. */
  readonly hasForeign?: boolean;
}

export const NOTHING_LOADED: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };
