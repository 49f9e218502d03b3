/**
 * The denied destinations (or addresses, or networks) of one container between two reads of its kernel. The
 * kernel's counts restart with each load, each start of the container, and when an entry expires. None of that may
 * report an entry twice, or lose counts.
 */

import type { Denied, DeniedFlow } from '../inventory/denied-record.ts';
import { KEPT } from '../inventory/denied-record.ts';
import { fairOrder } from '../inventory/fair-order.ts';

/** Milliseconds in which a destination is reported once. */
export const WINDOW = 10 * 60_000;
/** More are kept only while the kernel has them. */
const MOST_KEPT = 8_192;
/** Milliseconds; what the kernel tells of idle time is in whole seconds, and comes a while later. */
const SLACK = 3_000;

/** As it is kept on disk. */
export type FlowState = Readonly<Flow>;

interface Flow {
  readonly address: string;
  readonly protocol: string;
  readonly port: number | undefined;
  /** The kernel's last count; 0 after a restart of the count. */
  kernel: number;
  /** In all. */
  packets: number;
  readonly firstSeenAt: number;
  lastSeenAt: number;
  /** Undefined: never. */
  toldAt: number | undefined;
  readAt: number;
}

export interface Noted {
  /** Those with new packets that were not told in this window. */
  readonly news: readonly Denied[];
  /** Packets since the last read. */
  readonly added: number;
}

export class DeniedFlows {
  #flows: ReadonlyMap<string, Flow>;

  /** `previous`: what an earlier run kept. */
  constructor(previous: readonly FlowState[] = []) {
    this.#flows = new Map(previous.map((flow) => [idOf(flow), { ...flow }]));
  }

  /** The newest, at most so many. */
  state(most: number): readonly FlowState[] {
    return [...this.#flows.values()].sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, most);
  }

  /** The namespace is another one, so the kernel's counts are. */
  beginAnew(): void {
    for (const flow of this.#flows.values()) flow.kernel = 0;
  }

  note(destinations: readonly Denied[], now: number): Noted {
    const held = new Map(
      destinations.map((one) => [idOf(one), this.#flows.get(idOf(one)) ?? begin(one, now)] as const),
    );
    const steps = destinations.map((destination) => ({
      destination,
      ...advance(held.get(idOf(destination)), destination, now),
    }));
    this.#flows = new Map([...this.#lately(now, held), ...held]);
    return {
      news: steps.filter(({ isNews }) => isNews).map(({ destination }) => destination),
      added: steps.reduce((sum, { added }) => sum + added, 0),
    };
  }

  get seen(): readonly DeniedFlow[] {
    return [...this.#flows.values()].map(({ address, protocol, port, packets, firstSeenAt, lastSeenAt }) => ({
      ...{ address, protocol, port, packets, firstSeenAt, lastSeenAt },
    }));
  }

  /** True if nothing was reported in this window, so that the state may be dropped. */
  isQuiet(now: number): boolean {
    return [...this.#flows.values()].every((flow) => wasSilent(flow, now));
  }

  /** What the kernel no longer has. */
  #lately(now: number, held: ReadonlyMap<string, Flow>): readonly (readonly [string, Flow])[] {
    const gone = [...this.#flows].filter(([id, { lastSeenAt }]) => !held.has(id) && now - lastSeenAt < KEPT);
    for (const [, flow] of gone) flow.kernel = 0;
    const room = Math.max(0, MOST_KEPT - held.size);
    if (gone.length <= room) return gone;
    const items = gone.map((entry) => ({ entry, address: entry[1].address }));
    return fairOrder(items)
      .slice(0, room)
      .map(({ entry }) => entry);
  }
}

const begin = ({ address, protocol, port }: Denied, now: number): Flow => ({
  ...{ address, protocol, port, kernel: 0, packets: 0 },
  ...{ firstSeenAt: now, lastSeenAt: now, toldAt: undefined, readAt: now },
});

/** Not told in this window. */
const wasSilent = ({ toldAt }: Flow, now: number): boolean => toldAt === undefined || now - toldAt >= WINDOW;

function advance(flow: Flow | undefined, destination: Denied, now: number) {
  if (flow === undefined) return { added: 0, isNews: false };
  const added = beganAnew(flow, destination, now) ? destination.packets : destination.packets - flow.kernel;
  flow.kernel = destination.packets;
  flow.packets += added;
  flow.readAt = now;
  if (added > 0) flow.lastSeenAt = now;
  const isNews = added > 0 && wasSilent(flow, now);
  if (isNews) flow.toldAt = now;
  return { added, isNews };
}

/** A lower count than before tells it, and so does an equal one of an entry that had packets meanwhile. */
function beganAnew(flow: Flow, { packets, idle }: Denied, now: number): boolean {
  if (packets !== flow.kernel || idle === undefined) return packets < flow.kernel;
  return now - idle * 1000 > flow.readAt + SLACK;
}

const idOf = ({ address, protocol, port }: Pick<Denied, 'address' | 'protocol' | 'port'>): string =>
  `${protocol} ${address} ${port ?? ''}`;
