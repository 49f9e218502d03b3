/**
 * The operations of a feature, by which the reconciler brings the observed state to the desired one.
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
  /** The observed state from the previous run; undefined if unknown. */
  recorded?(name: string, desired: Desired): Observed | undefined;
  /** Reads the observed state. */
  inspect(target: Target<Desired, Observed>): Promise<Observed>;
  isInSync(target: Target<Desired, Observed>, observed: Observed): boolean | Promise<boolean>;
  /** Applies the desired state; resolves with the observed state afterwards. */
  apply(target: Target<Desired, Observed>, observed: Observed): Promise<Observed>;
  /** True if we have nothing there. */
  isAbsent(observed: Observed): boolean;
  /** Removes everything that is ours; resolves with the observed state afterwards. */
  release(target: Target<Desired, Observed>, observed: Observed): Promise<Observed>;
  /** True for an error that means the target no longer exists, which the next sync will find too. */
  isGone?(error: Error): boolean;
}

/** One name of a feature, as a job finds it. */
export interface Target<Desired, Observed> {
  readonly name: string;
  /** For a release: the last desired state, which has the location. */
  readonly desired: Desired;
  readonly isReleased: boolean;
  /** The last observed state, to recognise a change by others. */
  readonly last: Observed | undefined;
  /** In a row, before this job. */
  readonly failures: number;
  /** Aborted when the reconciler is closed. */
  readonly signal: AbortSignal;
}
