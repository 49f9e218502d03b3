/**
 * The history of denied packets of one container: destinations, addresses, networks, and totals.
 */

import type { Denied } from '../inventory/denied-record.ts';
import {
  DENIED_RETENTION,
  type DeniedCounts,
  type DeniedFlow,
  type DeniedRecord,
  type DeniedSummary,
  NO_COUNTS,
  unlistedPlaces,
} from '../inventory/denied-record.ts';
import type { NamespaceId } from '../inventory/namespace.ts';
import { DeniedFlows, type FlowState, WINDOW } from './denied-flows.ts';

export interface TrackedFlow {
  readonly seen: readonly DeniedFlow[];
  readonly summary: DeniedSummary;
  /** New entries: destinations, and addresses without a known destination. */
  readonly newFlows: readonly Denied[];
  /** The record is full, and this was not reported in this window. */
  readonly isNewlyFull: boolean;
}

/** The form on disk, so that a restart loses nothing and counts nothing twice. */
export interface TrackerState {
  readonly namespace: NamespaceId | undefined;
  readonly destinations: readonly FlowState[];
  readonly addresses: readonly FlowState[];
  readonly networks: readonly FlowState[];
  readonly kernel: DeniedCounts;
  readonly counts: DeniedCounts;
  readonly unlisted: number;
  readonly overlooked: number;
  readonly fullAt: number | undefined;
  readonly reportedFullAt: number | undefined;
}

/**
 * The most entries of each kind on disk: all that a kernel can have with the included templates, so that none of them
 * is new after a restart.
 */
const MOST_ON_DISK = 2_500;

const NOTHING: TrackerState = {
  ...{ namespace: undefined, destinations: [], addresses: [], networks: [] },
  ...{ kernel: NO_COUNTS, counts: NO_COUNTS, unlisted: 0, overlooked: 0 },
  ...{ fullAt: undefined, reportedFullAt: undefined },
};

export class DeniedFlowTracker {
  #namespace: NamespaceId | undefined;
  readonly #destinations: DeniedFlows;
  readonly #addresses: DeniedFlows;
  readonly #networks: DeniedFlows;
  /** The kernel's last counts. */
  #kernel: DeniedCounts;
  #counts: DeniedCounts;
  /** Packets of `#counts` that no destination accounts for, and their number while the record was not full. */
  #unlisted: number;
  #overlooked: number;
  #fullAt: number | undefined;
  #reportedFullAt: number | undefined;

  constructor(previous: TrackerState = NOTHING) {
    this.#namespace = previous.namespace;
    this.#destinations = new DeniedFlows(previous.destinations);
    this.#addresses = new DeniedFlows(previous.addresses);
    this.#networks = new DeniedFlows(previous.networks);
    this.#kernel = previous.kernel;
    this.#counts = previous.counts;
    this.#unlisted = previous.unlisted;
    this.#overlooked = previous.overlooked;
    this.#fullAt = previous.fullAt;
    this.#reportedFullAt = previous.reportedFullAt;
  }

  state(): TrackerState {
    return {
      namespace: this.#namespace,
      destinations: this.#destinations.state(MOST_ON_DISK),
      addresses: this.#addresses.state(MOST_ON_DISK),
      networks: this.#networks.state(MOST_ON_DISK),
      ...{ kernel: this.#kernel, counts: this.#counts },
      ...{ unlisted: this.#unlisted, overlooked: this.#overlooked },
      ...{ fullAt: this.#fullAt, reportedFullAt: this.#reportedFullAt },
    };
  }

  /** The present history, without reading the kernel. */
  current(now: number): Pick<TrackedFlow, 'seen' | 'summary'> {
    return { seen: this.#destinations.seen, summary: this.#summary(false, now) };
  }

  record(namespace: NamespaceId, record: DeniedRecord, now: number): TrackedFlow {
    if (namespace !== this.#namespace) this.#resetKernelCounts();
    this.#namespace = namespace;
    const recorded = this.#destinations.record(record.destinations, now);
    const { newFlows } = this.#addresses.record(record.addresses, now);
    this.#networks.record(record.networks, now);
    this.#count(record.counts, recorded.added);
    if (!this.#wasFullRecently(now) && !record.isFull) this.#overlooked = this.#unlisted;
    if (record.isFull) this.#fullAt = now;
    const { seen } = this.#destinations;
    const known = new Set(seen.map(({ address }) => address));
    return {
      seen,
      summary: this.#summary(record.isFull, now),
      newFlows: [...recorded.newFlows, ...newFlows.filter(({ address }) => !known.has(address))],
      isNewlyFull: this.#reportFull(record.isFull, now),
    };
  }

  /** True if nothing was reported in this window, so that the state may be dropped. */
  isQuiet(now: number): boolean {
    return this.#destinations.isQuiet(now) && this.#addresses.isQuiet(now);
  }

  #resetKernelCounts(): void {
    for (const flows of [this.#destinations, this.#addresses, this.#networks]) flows.resetKernelCounts();
    this.#kernel = NO_COUNTS;
  }

  #count(counts: DeniedCounts | undefined, listed: number): void {
    const found = counts ?? NO_COUNTS;
    const grown = (name: keyof DeniedCounts) => {
      const added = found[name] < this.#kernel[name] ? found[name] : found[name] - this.#kernel[name];
      return this.#counts[name] + added;
    };
    // Without a counter there are as many as the destinations have.
    const packets = counts === undefined ? this.#counts.packets + listed : grown('packets');
    this.#unlisted += packets - this.#counts.packets - listed;
    this.#counts = { packets, spoofed: grown('spoofed'), frames: grown('frames') };
    this.#kernel = found;
  }

  #summary(isFull: boolean, now: number): DeniedSummary {
    if (!this.#wasFullRecently(now)) return { ...this.#counts, unlisted: 0, isFull, unlistedAt: [] };
    const groups = [this.#destinations.seen, this.#addresses.seen, this.#networks.seen] as const;
    const unlisted = Math.max(0, this.#unlisted - this.#overlooked);
    return { ...this.#counts, unlisted, isFull, fullAt: this.#fullAt, unlistedAt: unlistedPlaces(...groups) };
  }

  #wasFullRecently(now: number): boolean {
    return this.#fullAt !== undefined && now - this.#fullAt < DENIED_RETENTION;
  }

  #reportFull(isFull: boolean, now: number): boolean {
    if (!isFull || (this.#reportedFullAt !== undefined && now - this.#reportedFullAt < WINDOW)) return false;
    this.#reportedFullAt = now;
    return true;
  }
}
