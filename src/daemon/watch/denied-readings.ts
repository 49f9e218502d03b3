/**
 * Reads the denied destinations of kernels all the time, while somebody looks at them. Namespaces take turns, and only
 * those that have sent packets are read. All readings together take a part of the time, so with many busy namespaces,
 * or where each reading is a container, a denial is seen later.
 */

export interface ReadingsOptions<Namespace> {
  readonly namespaces: () => readonly Namespace[];
  /** Reads the kernel of one if it may have denied something since. True if it was read. */
  readonly refresh: (namespace: Namespace) => Promise<boolean>;
  readonly onRead: () => void;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Milliseconds between the beginnings of two rounds. */
const ROUND = 500;
/** Of all time, the part that is spent on readings. */
const SHARE = 0.25;
/** Milliseconds of work between two pauses. */
const SLICE = 5;

export class DeniedReadings<Namespace> {
  readonly #options: ReadingsOptions<Namespace>;
  #isClosed = false;

  constructor(options: ReadingsOptions<Namespace>) {
    this.#options = options;
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    const { now, pause } = this.#options;
    while (!this.#isClosed) {
      const begunAt = now();
      await this.#round();
      await pause(Math.max(1, begunAt + ROUND - now()));
    }
  }

  async #round(): Promise<void> {
    const { namespaces, refresh, onRead, now, pause } = this.#options;
    let since = now();
    for (const namespace of namespaces()) {
      if (this.#isClosed) return;
      if (await refresh(namespace)) onRead();
      const worked = now() - since;
      if (worked < SLICE) continue;
      await pause(worked * (1 / SHARE - 1));
      since = now();
    }
  }
}
