/**
 * What the host has of its own, read again whenever networks or containers changed, and each minute: its routes change
 * without an event.
 */

import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { HostFactsAccess } from '../dataplane/host-facts.ts';
import type { HostFacts } from '../inventory/host-facts.ts';

/** Milliseconds between two reads. */
const PAUSE = 60_000;

export class HostFactsWatch {
  value: HostFacts | undefined;
  /** Set once the first read has ended, even if it failed. */
  isKnown = false;
  readonly #access: HostFactsAccess;
  readonly #log: Logger;
  readonly #onChange: () => void;
  #reading: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  #closed = false;

  constructor(access: HostFactsAccess, log: Logger, onChange: () => void) {
    this.#access = access;
    this.#log = log;
    this.#onChange = onChange;
    this.refresh();
  }

  /** Reads soon; of several calls while a read runs, one counts. */
  refresh(): void {
    this.#again = this.#reading !== undefined;
    if (this.#closed || this.#again) return;
    this.#reading = this.#read().finally(() => {
      this.#reading = undefined;
      if (this.#again) this.refresh();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#reading;
  }

  async #read(): Promise<void> {
    const before = this.value;
    const wasKnown = this.isKnown;
    try {
      const found = await this.#access.read();
      this.value = isDeepStrictEqual(found, before) ? before : found;
      this.#failure = undefined;
    } catch (error) {
      this.#warn(messageOf(error));
    }
    this.isKnown = true;
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), PAUSE).unref();
    if (!wasKnown || this.value !== before) this.#onChange();
  }

  #warn(error: string): void {
    if (error !== this.#failure)
      this.#log.warn(
        { error },
        "the host's routes could not be read; networks are made without a look at them",
      );
    this.#failure = error;
  }
}
