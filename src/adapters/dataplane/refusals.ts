/**
 * From nft's JSON of the sets named "denied…" to refusals. Pure.
 *
 * Each set says the types of its columns, and that is what decides here, so a template may arrange its
 * sets as it likes. Shapes are those of nft 1.0.6 with `-n`, where protocols and types are numbers; names
 * are understood too.
 */
import { z } from 'zod';
import type { Refusal } from '../../controller/ports.ts';

const value = z.union([z.string(), z.number()]);
const key = z.union([value, z.object({ concat: z.array(value) })]);
const counter = z.object({ packets: z.number() });
const counted = z.object({ elem: z.object({ val: key, counter: counter.nullish() }) });
const element = z.union([counted, key]);
const set = z.object({
  name: z.string(),
  type: z.union([z.string(), z.array(z.string())]),
  elem: z.array(element).nullish(),
});
const documents = z.array(z.object({ nftables: z.array(z.object({ set: set.nullish() })) }));

type Value = z.infer<typeof value>;
type NftSet = z.infer<typeof set>;

/** Throws an `Error` for what is no such JSON. */
export function parseRefusals(text: string): readonly Refusal[] {
  const { success, data, error } = documents.safeParse(JSON.parse(text));
  if (!success) throw new Error(`${error.issues[0]?.path.join('.')}: ${error.issues[0]?.message}`);
  return data
    .flatMap(({ nftables }) => nftables)
    .flatMap(({ set: found }) => (found ? refusalsOf(found) : []));
}

function refusalsOf({ type, elem }: NftSet): readonly Refusal[] {
  const columns = typeof type === 'string' ? [type] : type;
  return (elem ?? []).flatMap((each) => {
    const { val, packets } = counts(each);
    const values = typeof val === 'object' ? val.concat : [val];
    return refusal(columns, values, packets) ?? [];
  });
}

function counts(found: z.infer<typeof element>): {
  readonly val: z.infer<typeof key>;
  readonly packets: number;
} {
  if (typeof found !== 'object' || !('elem' in found)) return { val: found, packets: 0 };
  return { val: found.elem.val, packets: found.elem.counter?.packets ?? 0 };
}

/** `undefined` for an element without an address: a user's set of something else. */
function refusal(columns: readonly string[], values: readonly Value[], packets: number): Refusal | undefined {
  const column = (...names: string[]) => values[columns.findIndex((name) => names.includes(name))];
  const address = column('ipv4_addr', 'ipv6_addr');
  if (address === undefined) return undefined;
  const icmpType = column('icmp_type', 'icmpv6_type');
  const protocol = icmpType === undefined ? protocolName(column('inet_proto')) : 'icmp';
  const port = numberOf(icmpType ?? column('inet_service'));
  return { address: String(address), protocol, port, packets };
}

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
