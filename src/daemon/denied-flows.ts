/**
 * The denied destinations (or addresses, or networks) of one container between two reads of its kernel. The
 * kernel's counts restart with each load, each start of the container, and when an entry expires. None of that may
 * report an entry twice, or lose counts.
 */

import type { Denied, DeniedFlow } from '../inventory/denied-record.ts';
import { DENIED_RETENTION } from '../inventory/denied-record.ts';
import { fairOrder } from '../inventory/fair-order.ts';

/** Milliseconds in which a destination is reported once. */
export const WINDOW = 10 * 60_000;
/** The most entries that are kept after the kernel has removed them. */
const MOST_EXPIRED = 8_192;
/** Milliseconds; the kernel reports idle time in whole seconds, and a while later. */
const SLACK = 3_000;

/** The form on disk. */
export type FlowState = Readonly<Flow>;

interface Flow {
  readonly address: string;
  /** As in `Denied`. */
  readonly source?: string | undefined;
  readonly protocol: string;
  readonly port: number | undefined;
  /** The kernel's last count; 0 after a restart of the count. */
  kernel: number;
  /** In all. */
  packets: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  /** Undefined: never. */
  reportedAt: number | undefined;
  readAt: number;
}

export interface RecordedFlows {
  /** Entries with new packets that were not reported in this window. */
  readonly newFlows: readonly Denied[];
  /** Packets since the last read. */
  readonly added: number;
}

export class DeniedFlows {
  #flows: ReadonlyMap<string, Flow>;

  /** `previous`: the state of the previous run. */
  constructor(previous: readonly FlowState[] = []) {
    this.#flows = new Map(previous.map((flow) => [idOf(flow), { ...flow }]));
  }

  /** The newest entries, at most `most`. */
  state(most: number): readonly FlowState[] {
    return [...this.#flows.values()].sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, most);
  }

  /** The namespace is a new one, so the kernel's counts start at 0. */
  resetKernelCounts(): void {
    for (const flow of this.#flows.values()) flow.kernel = 0;
  }

  record(destinations: readonly Denied[], now: number): RecordedFlows {
    const held = new Map(
      destinations.map((one) => [idOf(one), this.#flows.get(idOf(one)) ?? begin(one, now)] as const),
    );
    const steps = destinations.map((destination) => ({
      destination,
      ...advance(held.get(idOf(destination)), destination, now),
    }));
    this.#flows = new Map([...this.#recentExpired(now, held), ...held]);
    return {
      newFlows: steps.filter(({ isNew }) => isNew).map(({ destination }) => destination),
      added: steps.reduce((sum, { added }) => sum + added, 0),
    };
  }

  get seen(): readonly DeniedFlow[] {
    return [...this.#flows.values()].map(
      ({ address, source, protocol, port, packets, firstSeenAt, lastSeenAt }) => ({
        ...{ address, protocol, port, packets, firstSeenAt, lastSeenAt },
        ...(source === undefined ? {} : { source }),
      }),
    );
  }

  /** True if nothing was reported in this window, so that the state may be dropped. */
  isQuiet(now: number): boolean {
    return [...this.#flows.values()].every((flow) => wasNotReported(flow, now));
  }

  /** Recent entries that the kernel has removed. */
  #recentExpired(now: number, held: ReadonlyMap<string, Flow>): readonly (readonly [string, Flow])[] {
    const gone = [...this.#flows].filter(
      ([id, { lastSeenAt }]) => !held.has(id) && now - lastSeenAt < DENIED_RETENTION,
    );
    for (const [, flow] of gone) flow.kernel = 0;
    const room = Math.max(0, MOST_EXPIRED - held.size);
    if (gone.length <= room) return gone;
    const items = gone.map((entry) => ({ entry, address: entry[1].address }));
    return fairOrder(items)
      .slice(0, room)
      .map(({ entry }) => entry);
  }
}

const begin = ({ address, source, protocol, port }: Denied, now: number): Flow => ({
  ...{ address, source, protocol, port, kernel: 0, packets: 0 },
  ...{ firstSeenAt: now, lastSeenAt: now, reportedAt: undefined, readAt: now },
});

/** True if it was not reported in this window. */
const wasNotReported = ({ reportedAt }: Flow, now: number): boolean =>
  reportedAt === undefined || now - reportedAt >= WINDOW;

function advance(flow: Flow | undefined, destination: Denied, now: number) {
  if (flow === undefined) return { added: 0, isNew: false };
  const added = countRestarted(flow, destination, now)
    ? destination.packets
    : destination.packets - flow.kernel;
  flow.kernel = destination.packets;
  flow.packets += added;
  flow.readAt = now;
  if (added > 0) flow.lastSeenAt = now;
  const isNew = added > 0 && wasNotReported(flow, now);
  if (isNew) flow.reportedAt = now;
  return { added, isNew };
}

/**
 * True if the kernel's count has restarted: it is lower than before, or equal although there were packets meanwhile.
 */
function countRestarted(flow: Flow, { packets, idle }: Denied, now: number): boolean {
  if (packets !== flow.kernel || idle === undefined) return packets < flow.kernel;
  return now - idle * 1000 > flow.readAt + SLACK;
}

const idOf = ({
  address,
  source,
  protocol,
  port,
}: Pick<Denied, 'address' | 'source' | 'protocol' | 'port'>): string =>
  `${protocol} ${source ?? ''} ${address} ${port ?? ''}`;
