/**
 * Removes helpers in the background. An Engine that is restarting rejects requests for a while, so removal is
 * retried. Helpers that remain are found later by their labels (leftovers.ts).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { delay } from '../common/backoff.ts';
import type { Engine } from '../sources/docker/engine.ts';

const tries = 8;
const backoff = { first: 500, most: 15_000 };

export class HelperCleanup {
  readonly #engine: Engine;
  readonly #underWay = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** By name, because a create request without an answer may have succeeded. */
  remove(name: string): void {
    const removal: Promise<void> = this.#remove(name).finally(() => this.#underWay.delete(removal));
    this.#underWay.add(removal);
  }

  /** Resolves when each removal has succeeded or was given up. */
  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async #remove(name: string): Promise<void> {
    for (let failures = 1; failures <= tries; failures++) {
      if (await this.#tryOnce(name)) return;
      const pause = delay(failures, backoff, Math.random);
      await sleep(pause, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {});
      if (this.#closing.signal.aborted) return;
    }
  }

  async #tryOnce(name: string): Promise<boolean> {
    return this.#engine.remove(name).then(
      () => true,
      () => false,
    );
  }
}
