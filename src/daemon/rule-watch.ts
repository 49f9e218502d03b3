/**
 * Hears from the kernel when other programs change the host's rules, so that what was lost is back within a second.
 * Without it, and for legacy tables, the drift scan finds it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, delay } from '../common/backoff.ts';
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import type { OtherFirewalls, RuleChange } from '../dataplane/other-firewalls.ts';

export interface RuleWatchPorts {
  readonly watch: OtherFirewalls['watch'];
  readonly log: Logger;
  readonly retry: Backoff;
  readonly random: () => number;
  /** Rules of our table were removed, or may have been. */
  readonly onLost: () => void;
  /** A chain with a passage was changed, or may have been. */
  readonly onMoved: () => void;
}

/** Milliseconds in which changes count as one: a load removes all rules of our table and adds the new ones. */
const DEBOUNCE = 50;

const FAILED = "changes of the host's rules by other programs are found by scans alone; trying again";

export class RuleWatch {
  readonly #ports: RuleWatchPorts;
  readonly #closing = new AbortController();
  #running: Promise<void> | undefined;
  #isLost = false;
  #isMoved = false;
  /** How often it has ended in a row, without a change in between. */
  #ends = 0;
  /** Such a failure has been reported. */
  #isReported = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(ports: RuleWatchPorts) {
    this.#ports = ports;
  }

  /** Once; later calls do nothing. */
  start(): void {
    if (!this.#closing.signal.aborted) this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { retry, random } = this.#ports;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const error = await this.#watch();
      if (signal.aborted) return;
      this.#ends += 1;
      if (error !== undefined) this.#report(error);
      await sleep(delay(this.#ends, retry, random), undefined, { signal }).catch(() => {});
      // What happened meanwhile was not heard.
      this.#isLost = true;
      this.#isMoved = true;
      this.#notify();
    }
  }

  #report(error: string): void {
    if (!this.#isReported) this.#ports.log.warn({ error }, FAILED);
    this.#isReported = true;
  }

  /** Resolves with the message of a failure. */
  async #watch(): Promise<string | undefined> {
    try {
      await this.#ports.watch((change) => this.#changed(change), this.#closing.signal);
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  #changed(change: RuleChange): void {
    this.#ends = 0;
    this.#isReported = false;
    if (change === 'passages') this.#isMoved = true;
    else this.#isLost = change === 'gone';
    this.#timer ??= setTimeout(() => this.#notify(), DEBOUNCE);
  }

  #notify(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closing.signal.aborted) return;
    if (this.#isLost) this.#ports.onLost();
    if (this.#isLost || this.#isMoved) this.#ports.onMoved();
    this.#isLost = false;
    this.#isMoved = false;
  }
}
