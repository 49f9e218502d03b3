/**
 * Rules for the kernel of one network namespace, and their state in the kernel.
 */

/**
 * The feature that owns the rules. Each owner has tables of its own, named `egresstrator_<owner>`: a load or clear for
 * one owner does not touch the rules of others.
 */
export type RulesetOwner = string;

export interface Ruleset {
  readonly owner: RulesetOwner;
  /**
   * The complete rules of the owner. A set with the flag `dynamic` or `timeout` is volatile: its elements change
   * without a load.
   */
  readonly text: string;
  /** 32 hex digits that identify the text and are part of it. */
  readonly fingerprint: string;
}

/** The desired rules of a namespace, as they are to be loaded. */
export interface Rendering {
  readonly ruleset: Ruleset;
  /** The digest of the namespace's facts in the text; undefined if it uses none. */
  readonly facts?: string | undefined;
  /** True if its facts are a guess, which must not replace rules of the previous run. */
  readonly isGuess?: boolean;
  /** To be called when its load has ended, in whatever way. */
  readonly ended?: ((isLoaded: boolean) => void) | undefined;
}

/** The rules that an owner has loaded in a namespace. All undefined: none. */
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
  /** True if foreign rules also deny packets there. */
  readonly hasForeign?: boolean;
}

export const NOTHING_LOADED: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };
