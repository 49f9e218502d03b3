/**
 * Reads the calls that the ports guard denied all the time, while somebody looks at them. No counter tells that there
 * are none, so each reading rests several times as long as it took.
 */
import type { HostDenyLog } from '../host-deny-log.ts';

export interface HostReadingsOptions {
  readonly log: Pick<HostDenyLog, 'isGuarded' | 'answer'>;
  readonly onRead: () => void;
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** Milliseconds between two readings. */
const INTERVAL = 800;
const REST = 4;

export class HostReadings {
  readonly #options: HostReadingsOptions;
  #isClosed = false;

  constructor(options: HostReadingsOptions) {
    this.#options = options;
    void this.#run();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    const { log, onRead, now, pause } = this.#options;
    while (!this.#isClosed) {
      const begunAt = now();
      if (log.isGuarded) {
        await log.answer();
        onRead();
      }
      await pause(Math.max(INTERVAL, REST * (now() - begunAt)));
    }
  }
}
