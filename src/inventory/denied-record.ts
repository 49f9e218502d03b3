/**
 * What a namespace's kernel tells of what was denied, and what is made of it. Pure.
 */
import { formatPrefix, parsePrefix } from '../net/address.ts';
import type { Mode } from './workload.ts';

/** Milliseconds for which a destination is kept after its last packet: by us, and by the shipped templates. */
export const KEPT = 60 * 60_000;
export const KERNEL_KEEPS = 10 * 60_000;

/** One denied destination (or, in audit mode, one that would have been). */
export interface Denied {
  readonly address: string;
  /** tcp, udp, icmp, or a protocol number as text. */
  readonly protocol: string;
  /** Port, or ICMP type; undefined where the protocol has none. */
  readonly port: number | undefined;
  readonly packets: number;
  /** Seconds since its last packet; undefined where the kernel does not tell. */
  readonly idle?: number | undefined;
}

/** As the kernel tells it: since the load, as far as its entries have not expired. */
export interface DeniedRecord {
  readonly destinations: readonly Denied[];
  /** All packets to an address, whatever the port; no protocol. Empty where the template keeps none. */
  readonly addresses: readonly Denied[];
  /** All packets to a network such as `10.0.0.0/8`, in the same form. */
  readonly networks: readonly Denied[];
  /** Undefined where the template does not count. */
  readonly counts: DeniedCounts | undefined;
  /** A set takes nothing new in, so that not every packet is in `destinations` or `addresses`. */
  readonly isFull: boolean;
}

export interface DeniedCounts {
  /** All that should be in `destinations`. */
  readonly packets: number;
  /** Of these, those with a false source address, or that named a way of their own. */
  readonly spoofed: number;
  /** Frames of packet sockets, of which no destination is known. */
  readonly frames: number;
}

export const NO_COUNTS: DeniedCounts = { packets: 0, spoofed: 0, frames: 0 };

export const NOTHING_DENIED: DeniedRecord = {
  ...{ destinations: [], addresses: [], networks: [], counts: undefined, isFull: false },
};

/** Whether a kernel has counted and recorded nothing. */
export const isNothing = ({ destinations, counts = NO_COUNTS }: DeniedRecord): boolean =>
  destinations.length === 0 && counts.packets === 0 && counts.frames === 0;

/** Of one container, as long as it is watched. */
export interface DeniedSummary extends DeniedCounts {
  /** Packets that no destination accounts for, since the record was full; 0 if it was not in the last hour. */
  readonly unlisted: number;
  readonly isFull: boolean;
  /** When it was last found full, in ms since the epoch; undefined if that is more than an hour ago. */
  readonly fullAt?: number | undefined;
  /** Where these went, as far as that is known: an address, or a network such as `10.0.0.0/8`. */
  readonly unlistedAt: readonly UnlistedNetwork[];
}

/** What was said at its time as it is to be told now: nobody reads the record of a namespace that sends nothing. */
export function agedSummary(summary: DeniedSummary, now: number): DeniedSummary {
  const age = now - (summary.fullAt ?? Number.NEGATIVE_INFINITY);
  if (age >= KEPT) return { ...summary, isFull: false, fullAt: undefined, unlisted: 0, unlistedAt: [] };
  return { ...summary, isFull: summary.isFull && age < KERNEL_KEEPS };
}

export interface UnlistedNetwork {
  readonly place: string;
  readonly packets: number;
}

/** Addresses that are told; networks are all told, as there are few. */
const MOST_PLACES = 100;

/** What addresses have more than destinations, and networks more than addresses. */
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

/** `10.0.0.0/8` for `10.1.2.3`; the text itself where it is no address. */
export function networkOf(address: string, length: number): string {
  const parsed = parsePrefix(`${address}/${length}`);
  return 'prefix' in parsed ? formatPrefix(parsed.prefix) : address;
}

/** The history of a denied destination. */
export interface DeniedFlow extends Omit<Denied, 'idle'> {
  /** When it was found to have packets that were new, in ms since the epoch. */
  readonly firstSeenAt: number;
  readonly lastSeenAt: number;
}

/** What is known of one namespace. */
export interface DeniedReport {
  readonly container: string;
  readonly workloads: readonly string[];
  readonly mode: Mode;
  readonly destinations: readonly DeniedFlow[];
  /** Undefined where nothing was read yet. */
  readonly summary?: DeniedSummary | undefined;
  /** Milliseconds before `readAt` of which it tells; undefined where only the kernel knows. */
  readonly covers?: number | undefined;
  /** When the kernel said so, in ms since the epoch. */
  readonly readAt: number;
  /** Why nothing could be read. */
  readonly error?: string;
}
