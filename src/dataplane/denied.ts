/**
 * Parses nft's JSON of the sets and counters named "denied…". Pure.
 *
 * The types of a set's columns decide how it is read, so a template may arrange its sets freely. The names identify
 * sets of totals (`denied…_by_address`, `denied…_by_network_8`) and counters. The format is that of nft 1.0.6 with
 * `-n`, where protocols and types are numbers; names are accepted too.
 */
import { z } from 'zod';
import type { Denied } from '../inventory/denied-record.ts';
import { type DeniedRecord, networkOf } from '../inventory/denied-record.ts';

const value = z.union([z.string(), z.number()]);
const key = z.union([value, z.object({ concat: z.array(value) })]);
const counter = z.object({ packets: z.number() });
const counted = z.object({
  elem: z.object({ val: key, counter: counter.nullish(), expires: z.number().nullish() }),
});
const element = z.union([counted, key]);
const set = z.object({
  name: z.string(),
  type: z.union([z.string(), z.array(z.string())]),
  /** The most elements. */
  size: z.number().nullish(),
  /** Seconds. */
  timeout: z.number().nullish(),
  elem: z.array(element).nullish(),
});
const namedCounter = z.object({ name: z.string(), packets: z.number() });
const item = z.object({ set: set.nullish(), counter: namedCounter.nullish() });
const documents = z.array(z.object({ nftables: z.array(item) }));

type Value = z.infer<typeof value>;
type NftSet = z.infer<typeof set>;

const BY_ADDRESS = /_by_address$/;
const BY_NETWORK = /_by_network_(\d{1,3})$/;

/** Throws an `Error` for anything else. */
export function parseDenied(text: string): DeniedRecord {
  const { success, data, error } = documents.safeParse(JSON.parse(text));
  if (!success) throw new Error(`${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);
  const items = data.flatMap(({ nftables }) => nftables);
  const sets = items.flatMap(({ set: found }) => found ?? []);
  const networks = sets.filter(({ name }) => BY_NETWORK.test(name));
  const others = sets.filter(({ name }) => !BY_NETWORK.test(name));
  return {
    destinations: others.filter(({ name }) => !BY_ADDRESS.test(name)).flatMap(destinationsOf),
    addresses: others.filter(({ name }) => BY_ADDRESS.test(name)).flatMap(destinationsOf),
    networks: networks.flatMap(networksOf),
    counts: countsOf(items.flatMap(({ counter: found }) => found ?? [])),
    isFull: others.some(({ size, elem }) => size != null && (elem?.length ?? 0) >= size),
  };
}

/** Counters of all packets: of those that leave, and of those that come in. */
const TOTALS: ReadonlySet<string> = new Set(['denied_packets', 'denied_in_packets']);

/** Undefined if there is no counter of all packets. */
function countsOf(counters: readonly z.infer<typeof namedCounter>[]): DeniedRecord['counts'] {
  const sum = (isMeant: (name: string) => boolean) =>
    counters.filter(({ name }) => isMeant(name)).reduce((total, { packets }) => total + packets, 0);
  const isTotal = (name: string) => TOTALS.has(name);
  if (!counters.some(({ name }) => isTotal(name))) return undefined;
  return {
    packets: sum(isTotal),
    spoofed: sum((name) => name === 'denied_spoofed'),
    frames: sum((name) => name === 'denied_frames'),
  };
}

const networksOf = (found: NftSet): readonly Denied[] => {
  const length = Number(BY_NETWORK.exec(found.name)?.[1]);
  return destinationsOf(found).map((one) => ({ ...one, address: networkOf(one.address, length) }));
};

function destinationsOf({ type, elem, timeout }: NftSet): readonly Denied[] {
  const columns = typeof type === 'string' ? [type] : type;
  return (elem ?? []).flatMap((each) => {
    const { val, packets, expires } = countedOf(each);
    const values = typeof val === 'object' ? val.concat : [val];
    const found = destination(columns, values, packets);
    if (found === undefined) return [];
    return timeout == null || expires == null ? found : { ...found, idle: Math.max(0, timeout - expires) };
  });
}

function countedOf(found: z.infer<typeof element>): {
  readonly val: z.infer<typeof key>;
  readonly packets: number;
  readonly expires?: number | null | undefined;
} {
  if (typeof found !== 'object' || !('elem' in found)) return { val: found, packets: 0 };
  const { val, counter: inner, expires } = found.elem;
  return { val, packets: inner?.packets ?? 0, expires };
}

/** Undefined for an element without an address, as in a user's own set. Of two addresses the first is the caller's. */
function destination(
  columns: readonly string[],
  values: readonly Value[],
  packets: number,
): Denied | undefined {
  const column = (...names: string[]) => values[columns.findIndex((name) => names.includes(name))];
  const addresses = values.filter((_, index) => ADDRESS_TYPES.has(columns[index] ?? ''));
  const address = addresses.at(-1);
  if (address === undefined) return undefined;
  const source = addresses.length === 2 ? { source: String(addresses[0]) } : {};
  const icmpType = column('icmp_type', 'icmpv6_type');
  const number = column('inet_proto');
  const isSctp = addresses.length === 2 && Number(number) === SCTP;
  const protocol = isSctp ? 'sctp' : icmpType === undefined ? protocolName(number) : 'icmp';
  const port = numberOf(icmpType ?? column('inet_service'));
  return { address: String(address), ...source, protocol, port, packets };
}

/** Docker publishes ports of it. */
const SCTP = 132;

const ADDRESS_TYPES: ReadonlySet<string> = new Set(['ipv4_addr', 'ipv6_addr']);

const names: Readonly<Record<string, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmp',
  'ipv6-icmp': 'icmp',
};

const protocolName = (found: Value | undefined): string =>
  found === undefined ? '' : (names[found] ?? String(found));

function numberOf(found: Value | undefined): number | undefined {
  const number = found === undefined ? Number.NaN : Number(found);
  return Number.isInteger(number) ? number : undefined;
}
