/**
 * The OPT record of EDNS (RFC 6891). Of another's only its size and version are read: no option of a workload
 * reaches a resolver, as options carry data. Ours has no options.
 */
import { TYPE } from './codes.ts';
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

/** Bytes over UDP without EDNS. */
export const PLAIN_SIZE = 512;
/** What we accept: it fits any path without fragments. */
export const OUR_SIZE = 1232;

export interface Edns {
  /** Bytes of UDP that the sender accepts. */
  readonly size: number;
  readonly version: number;
  /** The high bits of the response code, as a number to add to the low ones. */
  readonly extendedRcode: number;
}

/** What follows the name and the type of an OPT record. */
export const readEdns = (reader: Reader): Edns => {
  const size = reader.uint16();
  const [high, version] = [reader.byte(), reader.byte()];
  reader.uint16();
  reader.take(reader.uint16());
  return { size: Math.max(size, PLAIN_SIZE), version, extendedRcode: high << 4 };
};

/** The length of what `writeEdns` writes. */
export const EDNS_LENGTH = 11;

/** `size`: bytes over UDP that we accept. */
export const writeEdns = (writer: Writer, rcode = 0, size = OUR_SIZE): void => {
  writer.byte(0);
  writer.uint16(TYPE.OPT);
  writer.uint16(size);
  writer.byte(rcode >>> 4);
  writer.byte(0);
  writer.uint16(0);
  writer.uint16(0);
};
