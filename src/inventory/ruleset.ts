/**
 * Rules for the kernel of one network namespace, and their state in the kernel.
 */

/**
 * The feature whose rules these are. Each has tables of its own: what is loaded or cleared for one owner leaves those of
 * the others alone.
 */
export type RulesetOwner = string;

export interface Ruleset {
  readonly owner: RulesetOwner;
  /** Complete: it replaces all that its owner has loaded. */
  readonly text: string;
  /** 32 hex digits, by which it is recognised. The text holds it. */
  readonly fingerprint: string;
}

/** What a namespace says an owner has loaded in it. All undefined: nothing. */
export interface Loaded {
  readonly fingerprint: string | undefined;
  /** The digest of the facts it was loaded with. */
  readonly facts: string | undefined;
  /** SHA-256 of the kernel's own listing of the owner's tables without what changes by itself. */
  readonly digest: string | undefined;
  /** True if the first process of its owner is in another namespace. */
  readonly isLeft?: boolean;
  /** True if rules of other programs deny packets there as well. */
  readonly hasForeign?: boolean;
}

export const NOTHING_LOADED: Loaded = { fingerprint: undefined, facts: undefined, digest: undefined };
