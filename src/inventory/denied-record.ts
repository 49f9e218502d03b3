/**
 * The record of denied destinations in a namespace's kernel, and its evaluation. Pure.
 */
import { formatPrefix, parsePrefix } from '../net/address.ts';
import type { Mode } from './workload.ts';

/**
 * Milliseconds for which a destination is kept after its last packet: by the controller, and by the included
 * templates.
 */
export const DENIED_RETENTION = 60 * 60_000;
export const KERNEL_KEEPS = 10 * 60_000;

/** One denied destination (or, in audit mode, one that would have been). */
export interface Denied {
  readonly address: string;
  /** The caller, of a call that came in; undefined for a destination of the namespace's own packets. */
  readonly source?: string | undefined;
  /** tcp, udp, icmp, or a protocol number as text. */
  readonly protocol: string;
  /** Port, or ICMP type; undefined where the protocol has none. */
  readonly port: number | undefined;
  readonly packets: number;
  /** Seconds since its last packet; undefined if the kernel does not report it. */
  readonly idle?: number | undefined;
}

/** The record in the kernel: since the load, except for expired entries. */
export interface DeniedRecord {
  readonly destinations: readonly Denied[];
  /**
   * All packets to an address, for any port and without a protocol. Empty if the template does not record them.
   */
  readonly addresses: readonly Denied[];
  /** All packets to a network such as `10.0.0.0/8`, in the same form. */
  readonly networks: readonly Denied[];
  /** Undefined if the template does not count. */
  readonly counts: DeniedCounts | undefined;
  /** True if a set is full, so that not every packet is in `destinations` or `addresses`. */
  readonly isFull: boolean;
}

export interface DeniedCounts {
  /** All denied packets. */
  readonly packets: number;
  /** The denied packets with a forged source address or a source route. */
  readonly spoofed: number;
  /** Frames of packet sockets, whose destinations are not known. */
  readonly frames: number;
}

export const NO_COUNTS: DeniedCounts = { packets: 0, spoofed: 0, frames: 0 };

export const NOTHING_DENIED: DeniedRecord = {
  ...{ destinations: [], addresses: [], networks: [], counts: undefined, isFull: false },
};

/** True if nothing was counted or recorded. */
export const isNothing = ({ destinations, counts = NO_COUNTS }: DeniedRecord): boolean =>
  destinations.length === 0 && counts.packets === 0 && counts.frames === 0;

/** The totals of one container since it is watched. */
export interface DeniedSummary extends DeniedCounts {
  /**
   * Packets that no destination accounts for, because the record was full; 0 if it was not full in the last hour.
   */
  readonly unlisted: number;
  readonly isFull: boolean;
  /** When it was last found full, in ms since the epoch; undefined if that is more than an hour ago. */
  readonly fullAt?: number | undefined;
  /** Their destinations, as far as known: an address, or a network such as `10.0.0.0/8`. */
  readonly unlistedAt: readonly UnlistedNetwork[];
}

/**
 * Updates an earlier summary to the present time: the record of a namespace that sends nothing is not read again.
 */
export function agedSummary(summary: DeniedSummary, now: number): DeniedSummary {
  const age = now - (summary.fullAt ?? Number.NEGATIVE_INFINITY);
  if (age >= DENIED_RETENTION)
    return { ...summary, isFull: false, fullAt: undefined, unlisted: 0, unlistedAt: [] };
  return { ...summary, isFull: summary.isFull && age < KERNEL_KEEPS };
}

export interface UnlistedNetwork {
  readonly place: string;
  readonly packets: number;
}

/** The most addresses that are listed; networks are all listed, because there are few. */
const MOST_PLACES = 100;

/** The packets of addresses that no destination accounts for, and of networks that no address accounts for. */
export function unlistedPlaces(
  destinations: readonly Denied[],
  addresses: readonly Denied[],
  networks: readonly Denied[],
): readonly UnlistedNetwork[] {
  const listed = sums(destinations, ({ address }) => address);
  const hosts = excess(addresses, listed);
  const lengths = new Set(networks.map(({ address }) => Number(address.split('/')[1])));
  const known = new Map(
    [...lengths].flatMap((length) => [...sums(addresses, (one) => networkOf(one.address, length))]),
  );
  return [...hosts.slice(0, MOST_PLACES), ...excess(networks, known)];
}

function sums(
  destinations: readonly Denied[],
  keyOf: (destination: Denied) => string,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const one of destinations) found.set(keyOf(one), (found.get(keyOf(one)) ?? 0) + one.packets);
  return found;
}

const excess = (groups: readonly Denied[], known: ReadonlyMap<string, number>): readonly UnlistedNetwork[] =>
  groups
    .map(({ address, packets }) => ({ place: address, packets: packets - (known.get(address) ?? 0) }))
    .filter(({ packets }) => packets > 0)
    .sort((a, b) => b.packets - a.packets);

/** `10.0.0.0/8` for `10.1.2.3`; the text itself if it is not an address. */
export function networkOf(address: string, length: number): string {
  const parsed = parsePrefix(`${address}/${length}`);
  return 'prefix' in parsed ? formatPrefix(parsed.prefix) : address;
}

/** The history of a denied destination. */
export interface DeniedFlow extends Omit<Denied, 'idle'> {
  /** When new packets to it were first found, in ms since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/** The denied destinations of one namespace. */
export interface DeniedReport {
  readonly container: string;
  readonly workloads: readonly string[];
  readonly mode: Mode;
  readonly destinations: readonly DeniedFlow[];
  /** Undefined until the record is read. */
  readonly summary?: DeniedSummary | undefined;
  /** The covered period before `readAt`, in milliseconds; undefined if only the kernel's record is known. */
  readonly covers?: number | undefined;
  /** When the kernel was read, in ms since the epoch. */
  readonly readAt: number;
  /** Why the record could not be read. */
  readonly error?: string;
}
