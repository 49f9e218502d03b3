/**
 * Parses what a resolver answers. An answer counts only if it is one to the question that was sent: the same id, name,
 * type and class. Everything of it that a policy decides by is read; the rest is skipped, but must be whole.
 */
import { CLASS_IN, TYPE } from './codes.ts';
import { readEdns } from './edns.ts';
import { FLAG, type Header, opcodeOf, rcodeOf, readHeader } from './header.ts';
import { sameName } from './name.ts';
import type { NewQuestion } from './question.ts';
import { Reader } from './reader.ts';
import { type DnsRecord, readRecord, skipRecord } from './record.ts';

export interface Answer {
  /** With the bits that EDNS adds. */
  readonly rcode: number;
  /** More records exist: ask again over TCP. There are none here then. */
  readonly isTruncated: boolean;
  /** Those of the answer section, in its order. */
  readonly records: readonly DnsRecord[];
  /** The first of the authority section; it says for how long there is nothing. */
  readonly soa: DnsRecord | undefined;
}

export type ParsedAnswer = { readonly answer: Answer } | { readonly reason: string };

/** More records than any true answer has; with the bound of names it bounds the work. */
export const MOST_RECORDS = 4096;

/** Never throws, whatever the bytes are. */
export const parseAnswer = (message: Uint8Array, asked: NewQuestion): ParsedAnswer => {
  const reader = new Reader(message);
  return readAnswer(reader, asked);
};

/** The same from a reader, which counts the steps. */
export const readAnswer = (reader: Reader, asked: NewQuestion): ParsedAnswer => {
  const header = readHeader(reader);
  const reason = reader.fault ?? faultOfHeader(header, asked) ?? faultOfQuestion(reader, asked);
  if (reason !== undefined) return { reason };
  const rcode = rcodeOf(header.flags);
  if ((header.flags & FLAG.truncated) !== 0)
    return { answer: { rcode, isTruncated: true, records: [], soa: undefined } };
  const records = readRecords(reader, header.answers);
  const soa = readAuthority(reader, header.authorities);
  const extended = readAdditionals(reader, header.additionals);
  if (reader.fault === undefined && !reader.isAtEnd) reader.fail('bytes follow the last record');
  if (reader.fault !== undefined) return { reason: reader.fault };
  return { answer: { rcode: rcode + extended, isTruncated: false, records, soa } };
};

const faultOfHeader = (header: Header, { id }: NewQuestion): string | undefined => {
  if ((header.flags & FLAG.answer) === 0) return 'the message is a question, not an answer';
  if (header.id !== id) return 'the answer has another id than the question';
  if (opcodeOf(header.flags) !== 0) return 'the answer is to no standard query';
  if (header.questions !== 1) return `the answer repeats ${header.questions} questions, not one`;
  const records = header.answers + header.authorities + header.additionals;
  return records > MOST_RECORDS ? `the answer has more than ${MOST_RECORDS} records` : undefined;
};

const faultOfQuestion = (reader: Reader, { name, type }: NewQuestion): string | undefined => {
  const repeated = reader.name('rejected');
  const isSame = reader.uint16() === type && reader.uint16() === CLASS_IN && sameName(repeated, name);
  return reader.fault ?? (isSame ? undefined : 'the answer is to another question');
};

const readRecords = (reader: Reader, count: number): readonly DnsRecord[] => {
  const records: DnsRecord[] = [];
  for (let index = 0; index < count && reader.fault === undefined; index++) {
    const name = reader.name('allowed');
    const type = reader.uint16();
    if (type === TYPE.OPT) reader.fail('an EDNS record where none may be');
    records.push(readRecord(reader, name, type));
  }
  return records;
};

const readAuthority = (reader: Reader, count: number): DnsRecord | undefined => {
  let soa: DnsRecord | undefined;
  for (let index = 0; index < count && reader.fault === undefined; index++) {
    const name = reader.name('allowed');
    const type = reader.uint16();
    if (type === TYPE.SOA && soa === undefined) soa = readRecord(reader, name, type);
    else skipRecord(reader);
  }
  return soa;
};

/** The bits that EDNS adds to the response code. */
const readAdditionals = (reader: Reader, count: number): number => {
  let extended: number | undefined;
  for (let index = 0; index < count && reader.fault === undefined; index++) {
    const name = reader.name('allowed');
    if (reader.uint16() !== TYPE.OPT) {
      skipRecord(reader);
      continue;
    }
    if (extended !== undefined || name.length > 0) reader.fail('an EDNS record that is not the only one');
    extended = readEdns(reader).extendedRcode;
  }
  return extended ?? 0;
};

/** Seconds for which an answer that there is nothing may be kept (RFC 2308, 5). */
export const negativeTtl = ({ ttl, data }: DnsRecord): number => {
  const [a = 0, b = 0, c = 0, d = 0] = data.subarray(-4);
  const minimum = ((a * 0x100 + b) * 0x100 + c) * 0x100 + d;
  return Math.min(ttl, minimum);
};
