/**
 * Which jobs must wait for those of other features: networks are made before containers are attached to them, and
 * so on. Only jobs that wait or run hold others up, never what failed and is to be tried again.
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

  /** `after`: the features that come first. Throws for a circle, in which nobody would ever begin. */
  add(feature: string, after: readonly string[]): void {
    this.#jobs.set(feature, { after, waiting: new Set(), running: new Set() });
    if (this.#comesAfter(feature, feature)) throw new Error(`feature ${feature} comes after itself`);
  }

  requested(feature: string, key: Key): void {
    this.#jobs.get(feature)?.waiting.add(key);
  }

  /** True if the job may begin, and does; otherwise `ended` tells when it may. */
  begins(feature: string, key: Key): boolean {
    if (!this.#mayBegin(feature)) {
      this.#heldUp.set(key, feature);
      return false;
    }
    this.#heldUp.delete(key);
    this.#jobs.get(feature)?.waiting.delete(key);
    this.#jobs.get(feature)?.running.add(key);
    return true;
  }

  /** Returns those that were held up and may begin now. */
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
