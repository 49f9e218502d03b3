/**
 * Orders jobs of different features: networks are created before containers are attached, and so on. Only waiting
 * and running jobs delay others, not failed ones that will be retried, and not inspections: those of what is correct
 * change nothing, and one that finds a difference is not what others were planned with.
 */

interface Jobs<Key> {
  readonly after: readonly string[];
  readonly waiting: Set<Key>;
  readonly running: Set<Key>;
}

export class JobOrder<Key> {
  readonly #jobs = new Map<string, Jobs<Key>>();
  /** Those that would have begun, and the feature of each. */
  readonly #heldUp = new Map<Key, string>();

  /** `after`: the features that come first. Throws for a cycle. */
  add(feature: string, after: readonly string[]): void {
    this.#jobs.set(feature, { after, waiting: new Set(), running: new Set() });
    if (this.#comesAfter(feature, feature)) throw new Error(`feature ${feature} comes after itself`);
  }

  /** Others wait for its end. Without this call, the job delays none. */
  requested(feature: string, key: Key): void {
    this.#jobs.get(feature)?.waiting.add(key);
  }

  /** True if the job may begin; otherwise `ended` returns it later. */
  begins(feature: string, key: Key): boolean {
    if (!this.#mayBegin(feature)) {
      this.#heldUp.set(key, feature);
      return false;
    }
    this.#heldUp.delete(key);
    const jobs = this.#jobs.get(feature);
    if (jobs?.waiting.delete(key) === true) jobs.running.add(key);
    return true;
  }

  /** Returns the delayed jobs that may begin now. */
  ended(feature: string, key: Key): readonly Key[] {
    this.#jobs.get(feature)?.running.delete(key);
    const free = [...this.#heldUp].filter(([, one]) => this.#mayBegin(one)).map(([one]) => one);
    for (const one of free) this.#heldUp.delete(one);
    return free;
  }

  #mayBegin(feature: string): boolean {
    const after = this.#jobs.get(feature)?.after ?? [];
    return after.every((one) => this.#isQuiet(one));
  }

  #isQuiet(feature: string): boolean {
    const jobs = this.#jobs.get(feature);
    return jobs === undefined || (jobs.waiting.size === 0 && jobs.running.size === 0);
  }

  #comesAfter(feature: string, other: string): boolean {
    const after = this.#jobs.get(feature)?.after ?? [];
    return after.some((one) => one === other || this.#comesAfter(one, other));
  }
}
