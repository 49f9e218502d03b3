/**
 * Resource records: read from an answer, and written into one.
 *
 * The content of a record may hold names that are compressed by pointers into the message. Copied by its bytes it
 * would mean other names in another message, so such names are read, and kept in full.
 */
import { CLASS_IN, TYPE } from './codes.ts';
import type { Name } from './name.ts';
import type { Reader } from './reader.ts';
import { type Writer, wireName } from './writer.ts';

export interface DnsRecord {
  /** The owner. */
  readonly name: Name;
  readonly type: number;
  /** Seconds, 0 to 2³¹ − 1. */
  readonly ttl: number;
  /** The content, with all names in full. */
  readonly data: Uint8Array;
  /** The name that a CNAME or DNAME leads to. */
  readonly target?: Name;
}

/** A part of a content: so many bytes, a name, or a text with its length. */
type Part = number | 'name' | 'text';

/**
 * The types whose names may be compressed: those of RFC 1035, and those that RFC 3597 lists because some servers
 * compress them. Names of all other types are never compressed.
 */
const LAYOUT: ReadonlyMap<number, readonly Part[]> = new Map<number, readonly Part[]>([
  ...[TYPE.NS, TYPE.MD, TYPE.MF, TYPE.CNAME, TYPE.MB, TYPE.MG, TYPE.MR, TYPE.PTR, TYPE.DNAME].map(
    (type): [number, readonly Part[]] => [type, ['name']],
  ),
  [TYPE.SOA, ['name', 'name', 20]],
  [TYPE.MINFO, ['name', 'name']],
  [TYPE.MX, [2, 'name']],
  [TYPE.RP, ['name', 'name']],
  [TYPE.AFSDB, [2, 'name']],
  [TYPE.RT, [2, 'name']],
  [TYPE.SIG, [18, 'name']],
  [TYPE.PX, [2, 'name', 'name']],
  [TYPE.NXT, ['name']],
  [TYPE.SRV, [6, 'name']],
  [TYPE.NAPTR, [4, 'text', 'text', 'text', 'name']],
  [TYPE.KX, [2, 'name']],
]);

/** Contents of one length only. */
const LENGTH: ReadonlyMap<number, number> = new Map<number, number>([
  [TYPE.A, 4],
  [TYPE.AAAA, 16],
]);

/** Types whose content goes on after the last part of its layout. */
const OPEN_ENDED: ReadonlySet<number> = new Set([TYPE.SIG, TYPE.NXT]);

/** A lifetime with the highest bit set counts as 0 (RFC 2181, 8). */
const lifetime = (value: number): number => (value > 0x7fff_ffff ? 0 : value);

/** The class and what follows it, of a record whose name and type were read. */
export const readRecord = (reader: Reader, name: Name, type: number): DnsRecord => {
  if (reader.uint16() !== CLASS_IN) reader.fail('a record of another class than IN');
  const ttl = lifetime(reader.uint32());
  const length = reader.uint16();
  const expected = LENGTH.get(type);
  if (expected !== undefined && expected !== length) reader.fail('an address of a wrong length');
  return { name, type, ttl, ...reader.within(length, () => readContent(reader, type)) };
};

/** Skips the same. */
export const skipRecord = (reader: Reader): void => {
  reader.uint16();
  reader.uint32();
  reader.take(reader.uint16());
};

const readContent = (reader: Reader, type: number): Pick<DnsRecord, 'data' | 'target'> => {
  const layout = LAYOUT.get(type);
  if (layout === undefined) return { data: reader.rest().slice() };
  if (type === TYPE.CNAME || type === TYPE.DNAME) {
    const target = reader.name('allowed');
    return { data: wireName(target), target };
  }
  const parts = layout.map((part) => readPart(reader, part));
  return { data: joined(OPEN_ENDED.has(type) ? [...parts, reader.rest()] : parts) };
};

const readPart = (reader: Reader, part: Part): Uint8Array => {
  if (part === 'name') return wireName(reader.name('allowed'));
  if (part !== 'text') return reader.take(part);
  const length = reader.byte();
  return joined([Uint8Array.of(length), reader.take(length)]);
};

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

/** Writes a record. The name of a CNAME may become a pointer; a DNAME's must not (RFC 6672, 2.5). */
export const writeRecord = (writer: Writer, { name, type, ttl, data, target }: DnsRecord): void => {
  writer.name(name);
  writer.uint16(type);
  writer.uint16(CLASS_IN);
  writer.uint32(ttl);
  const lengthAt = writer.length;
  writer.uint16(0);
  if (type === TYPE.CNAME && target !== undefined) writer.name(target);
  else writer.bytes(data);
  writer.replaceUint16(lengthAt, writer.length - lengthAt - 2);
};
