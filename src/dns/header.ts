/** The first 12 bytes of a DNS message: id, flags and the number of entries in each section. */
import type { Reader } from './reader.ts';
import type { Writer } from './writer.ts';

export const HEADER_LENGTH = 12;

export const FLAG = {
  /** The message is an answer. */
  answer: 0x8000,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
} as const;

export interface Header {
  readonly id: number;
  readonly flags: number;
  readonly questions: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

export const readHeader = (reader: Reader): Header => ({
  id: reader.uint16(),
  flags: reader.uint16(),
  questions: reader.uint16(),
  answers: reader.uint16(),
  authorities: reader.uint16(),
  additionals: reader.uint16(),
});

export const writeHeader = (writer: Writer, header: Header): void => {
  writer.uint16(header.id);
  writer.uint16(header.flags);
  writer.uint16(header.questions);
  writer.uint16(header.answers);
  writer.uint16(header.authorities);
  writer.uint16(header.additionals);
};

export const opcodeOf = (flags: number): number => (flags >>> 11) & 0xf;

/** The four bits of the header; EDNS may add more. */
export const rcodeOf = (flags: number): number => flags & 0xf;
