/**
 * Builds the answer to a workload: from the records that a policy has kept, or without any. No byte of a resolver's
 * message is in it but the contents of these records.
 */
import { RCODE, type Rcode } from './codes.ts';
import { EDNS_LENGTH, PLAIN_SIZE, writeEdns } from './edns.ts';
import { FLAG, HEADER_LENGTH, writeHeader } from './header.ts';
import type { Question, RejectedQuestion } from './question.ts';
import { type DnsRecord, writeRecord } from './record.ts';
import { LONGEST_MESSAGE, Writer } from './writer.ts';

export interface Reply {
  readonly rcode: Rcode;
  readonly records: readonly DnsRecord[];
  /** For the authority section, with NXDOMAIN and NODATA. */
  readonly soa?: DnsRecord | undefined;
}

export type Transport = 'udp' | 'tcp';

/** There is no record of the type, or none that a policy lets through. */
export const NODATA: Reply = { rcode: RCODE.NOERROR, records: [] };

/** What an asker may get over UDP: it is in the same namespace, so nothing is ever cut into fragments. */
const LARGEST_UDP = 4096;

/** The most bytes of an answer to this question. */
const limitOf = ({ edns }: Question, transport: Transport): number =>
  transport === 'tcp' ? LONGEST_MESSAGE : Math.min(edns?.size ?? PLAIN_SIZE, LARGEST_UDP);

/** The answer; records that do not fit are left out from the end, and TC says so. */
export const buildReply = (question: Question, reply: Reply, transport: Transport): Uint8Array => {
  const writer = new Writer();
  const flags = flagsOf(question) | (reply.rcode & 0xf);
  const room = limitOf(question, transport) - (question.edns === undefined ? 0 : EDNS_LENGTH);
  writeHeader(writer, { id: question.id, flags, questions: 1, answers: 0, authorities: 0, additionals: 0 });
  writer.standsAt(question.name, HEADER_LENGTH);
  writer.bytes(question.asSent);
  const answers = writeWhile(writer, reply.records, room);
  const authorities = writeWhile(writer, reply.soa === undefined ? [] : [reply.soa], room);
  if (question.edns !== undefined) writeEdns(writer, reply.rcode);
  if (answers < reply.records.length) writer.replaceUint16(2, flags | FLAG.truncated);
  for (const [index, count] of [answers, authorities, question.edns === undefined ? 0 : 1].entries())
    writer.replaceUint16(6 + 2 * index, count);
  return writer.finish();
};

/** The answer to a message that is no question for us; undefined if there must be none. */
export const buildRejection = ({ id, flags, rcode, edns }: RejectedQuestion): Uint8Array | undefined => {
  if (rcode === undefined) return undefined;
  const writer = new Writer();
  const kept = flags & (OPCODE_BITS | FLAG.recursionDesired | FLAG.checkingDisabled);
  writeHeader(writer, {
    ...{ id, flags: FLAG.answer | FLAG.recursionAvailable | kept | (rcode & 0xf) },
    ...{ questions: 0, answers: 0, authorities: 0, additionals: edns ? 1 : 0 },
  });
  if (edns) writeEdns(writer, rcode);
  return writer.finish();
};

const OPCODE_BITS = 0x7800;

const flagsOf = ({ recursionDesired, checkingDisabled }: Question): number =>
  FLAG.answer |
  FLAG.recursionAvailable |
  (recursionDesired ? FLAG.recursionDesired : 0) |
  (checkingDisabled ? FLAG.checkingDisabled : 0);

/** How many of the records fit. */
const writeWhile = (writer: Writer, records: readonly DnsRecord[], room: number): number => {
  for (const [index, record] of records.entries()) {
    const before = writer.length;
    writeRecord(writer, record);
    if (writer.length <= room) continue;
    writer.shorten(before);
    return index;
  }
  return records.length;
};
