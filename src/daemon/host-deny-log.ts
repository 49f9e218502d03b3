/**
 * Collects the calls that the ports guard denied: from time to time for logs and metrics, and at once for a request.
 *
 * The kernel forgets a call ten minutes after its last packet, and all at a load, so the controller keeps them for an
 * hour. Memory and log lines are bounded: a scan of all ports from many addresses must cost neither.
 */
import { messageOf } from '../common/errors.ts';
import type { Logger } from '../common/logger.ts';
import { HOST_REF, type HostDataplane } from '../dataplane/dataplane.ts';
import type { DeniedCall, DeniedCallsReport } from '../diagnostics/denied-in.ts';
import {
  agedSummary,
  DENIED_RETENTION,
  type Denied,
  type DeniedFlow,
  type DeniedRecord,
  type DeniedSummary,
  KERNEL_KEEPS,
} from '../inventory/denied-record.ts';
import { fairOrder } from '../inventory/fair-order.ts';
import { HOST } from '../inventory/namespace.ts';
import { DeniedFlowTracker, type TrackedFlow } from './denied-flow-tracker.ts';
import { WINDOW } from './denied-flows.ts';
import { LineBudget } from './line-budget.ts';

export interface HostDenyLogOptions {
  readonly dataplane: Pick<HostDataplane, 'denied'>;
  /** Whether rules with a guard are loaded. */
  readonly isGuarded: () => boolean;
  /** The guard denies nothing, and only records. */
  readonly observes: boolean;
  /** Returns a function that tells which container has an address now. */
  readonly containerNames: () => (address: string) => string | undefined;
  readonly log: Logger;
  readonly now: () => number;
  /** Milliseconds between two collections; 0: only on demand. */
  readonly interval: number;
}

/** The most log lines at once, and in each window. */
const MOST_LINES = 20;

export class HostDenyLog {
  readonly #options: HostDenyLogOptions;
  readonly #tracker = new DeniedFlowTracker();
  readonly #budget = new LineBudget(MOST_LINES, WINDOW);
  readonly #startedAt: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #summary: DeniedSummary | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #running: Promise<string | undefined> | undefined;

  constructor(options: HostDenyLogOptions) {
    this.#options = options;
    this.#startedAt = options.now();
    if (options.interval > 0) this.#timer = setInterval(() => void this.#read(), options.interval).unref();
  }

  /** The totals since the start; undefined until they are read. */
  get summary(): DeniedSummary | undefined {
    return this.#summary && agedSummary(this.#summary, this.#options.now());
  }

  /** What a load has found, which removes it. An older reading is ignored: its packets would be counted twice. */
  found(record: DeniedRecord, begunAt: number): void {
    if (begunAt < this.#readAt) return;
    this.#readAt = this.#options.now();
    const tracked = this.#tracker.record(HOST, record, this.#readAt);
    this.#summary = tracked.summary;
    this.#write(tracked);
  }

  /** Whether there is anything to read. */
  get isGuarded(): boolean {
    return this.#options.isGuarded();
  }

  /** Reads the kernel first. */
  async answer(): Promise<DeniedCallsReport> {
    return this.known(await this.#read());
  }

  /** What is known, without reading the kernel; `error`: why it could not be read. */
  known(error?: string): DeniedCallsReport {
    const now = this.#options.now();
    const { seen, summary } = this.#tracker.current(now);
    const nameAt = this.#options.containerNames();
    const watched = this.#options.interval > 0 ? now - this.#startedAt : 0;
    return {
      calls: seen.map((flow) => callOf(flow, nameAt(flow.address))),
      ...{ packets: summary.packets, unlisted: summary.unlisted, isFull: this.summary?.isFull ?? false },
      covers: Math.min(DENIED_RETENTION, Math.max(KERNEL_KEEPS, watched)),
      ...(error === undefined ? {} : { error }),
    };
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Resolves with the reason if it cannot be read. Several callers share one reading. */
  #read(): Promise<string | undefined> {
    if (!this.#options.isGuarded()) return Promise.resolve(undefined);
    this.#running ??= this.#readKernel().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #readKernel(): Promise<string | undefined> {
    const begunAt = this.#options.now();
    try {
      this.found(await this.#options.dataplane.denied(HOST_REF, 'host'), begunAt);
      return undefined;
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, 'denied calls could not be read');
      return messageOf(error);
    }
  }

  #write({ newFlows, summary, isNewlyFull }: TrackedFlow): void {
    const { log, observes, now, containerNames } = this.#options;
    const { lines, more } = this.#budget.take(newFlows.length, now());
    const message = observes ? 'call would be denied' : 'call denied';
    const nameAt = lines > 0 ? containerNames() : () => undefined;
    for (const flow of fairOrder(newFlows).slice(0, lines))
      log.warn({ container: nameAt(flow.address), ...fieldsOf(flow) }, message);
    if (more > 0) log.warn({ more }, 'more calls denied');
    const { packets, unlisted } = summary;
    if (isNewlyFull) log.warn({ packets, unlisted }, 'record of denied calls is full');
  }
}

function callOf(flow: DeniedFlow, container: string | undefined): DeniedCall {
  const { packets, firstSeenAt, lastSeenAt } = flow;
  return { ...callFields(flow), container, packets, firstSeenAt, lastSeenAt };
}

const callFields = ({ source = '', address, protocol, port }: Omit<Denied, 'packets'>) => ({
  ...{ source, address, protocol, port },
});

const fieldsOf = ({ packets, ...flow }: Denied): object => ({ ...callFields(flow), packets });
