/**
 * What a feature can do with its part of the world, for the reconciler to hold it at what is desired.
 *
 * The reconciler calls these one at a time for each name, and calls them again after a failure. It knows no
 * feature: what `Desired` and `Observed` are, only the driver knows.
 */

export interface Driver<Desired, Observed> {
  /** The first part of each key, as in `egress/<namespace>`. */
  readonly feature: string;
  /** Features whose jobs come first: while one of theirs waits or runs, none of this feature begins. */
  readonly after?: readonly string[];
  /** True if both ask for the same, so that no job is needed. */
  isSame(one: Desired, other: Desired): boolean;
  /** What is known of it from a former run; undefined if nothing is. */
  recall?(name: string, desired: Desired): Observed | undefined;
  /** Reads what is there. */
  inspect(target: Target<Desired, Observed>): Promise<Observed>;
  isInSync(target: Target<Desired, Observed>, observed: Observed): boolean | Promise<boolean>;
  /** Makes it as desired; resolves with what is there then. */
  apply(target: Target<Desired, Observed>, observed: Observed): Promise<Observed>;
  /** True if nothing of ours is there. */
  isAbsent(observed: Observed): boolean;
  /** Takes away all that is ours; resolves with what is there then. */
  release(target: Target<Desired, Observed>, observed: Observed): Promise<Observed>;
  /** True for an error that only says that its place in the world is gone, which the next sync tells too. */
  isGone?(error: Error): boolean;
}

/** One name of a feature, as a job finds it. */
export interface Target<Desired, Observed> {
  readonly name: string;
  /** For a release: what was desired last, which tells where it is. */
  readonly desired: Desired;
  readonly isReleased: boolean;
  /** What was there when somebody last knew, by which an alteration is recognised. */
  readonly last: Observed | undefined;
  /** In a row, before this job. */
  readonly failures: number;
  /** Aborted when the reconciler is closed. */
  readonly signal: AbortSignal;
}
