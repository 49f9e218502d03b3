/**
 * Questions: parses what a workload sends, and builds the new one that is sent to a resolver in its place.
 *
 * The parser accepts one plain question and nothing beside it. What it does not understand it rejects, as a message
 * that two programs read differently is a way past a policy by name.
 */
import { CLASS_IN, RCODE, type Rcode, TYPE } from './codes.ts';
import { type Edns, readEdns, writeEdns } from './edns.ts';
import { FLAG, HEADER_LENGTH, type Header, opcodeOf, readHeader, writeHeader } from './header.ts';
import type { Name } from './name.ts';
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Question extends AskedQuestion {
  readonly id: number;
  /** The question as it was sent, to be repeated in the answer: programs compare it, letter case included. */
  readonly asSent: Uint8Array;
  /** The flags that an answer repeats. */
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** Of the EDNS record: undefined without one. */
  readonly edns: { readonly size: number } | undefined;
}

/** A message that is no question for us, and the answer it deserves; without a `rcode` it deserves none. */
export interface RejectedQuestion {
  readonly reason: string;
  readonly id: number;
  readonly flags: number;
  readonly rcode: Rcode | undefined;
  /** Of the message; its answer needs EDNS as well then. */
  readonly edns: boolean;
}

export type ParsedQuestion = { readonly question: Question } | { readonly rejected: RejectedQuestion };

/** Never throws, whatever the bytes are. */
export const parseQuestion = (message: Uint8Array): ParsedQuestion => {
  const reader = new Reader(message);
  const header = readHeader(reader);
  const { id, flags } = header;
  const reject = (reason: string, rcode: Rcode | undefined, edns = false): ParsedQuestion => ({
    rejected: { reason, id, flags, rcode, edns },
  });
  if (reader.fault !== undefined) return reject('the message is shorter than a header', undefined);
  if ((flags & FLAG.answer) !== 0) return reject('the message is an answer, not a question', undefined);
  if (opcodeOf(flags) !== 0) return reject('the message is no standard query', RCODE.NOTIMP);
  const unusual = faultOfCounts(header);
  if (unusual !== undefined) return reject(unusual, RCODE.FORMERR);
  const { name, type, asSent, group } = readEntry(reader, message);
  const edns = header.additionals === 1 ? readAdditional(reader) : undefined;
  if (reader.fault === undefined && !reader.isAtEnd) reader.fail('bytes follow the question');
  if (reader.fault !== undefined) return reject(reader.fault, RCODE.FORMERR);
  if (edns !== undefined && edns.version !== 0)
    return reject('the question has a later version of EDNS', RCODE.BADVERS, true);
  if (group !== CLASS_IN)
    return reject('the question is of another class than IN', RCODE.REFUSED, edns !== undefined);
  return {
    question: {
      ...{ id, name, type, asSent },
      recursionDesired: (flags & FLAG.recursionDesired) !== 0,
      checkingDisabled: (flags & FLAG.checkingDisabled) !== 0,
      edns: edns && { size: edns.size },
    },
  };
};

const faultOfCounts = ({
  flags,
  questions,
  answers,
  authorities,
  additionals,
}: Header): string | undefined => {
  if (questions !== 1) return `the message has ${questions} questions, not one`;
  if (answers !== 0 || authorities !== 0) return 'the question has records of an answer';
  if (additionals > 1) return 'the question has several additional records';
  return (flags & FLAG.truncated) === 0 ? undefined : 'the question is truncated';
};

interface Entry {
  readonly name: Name;
  readonly type: number;
  readonly group: number;
  readonly asSent: Uint8Array;
}

const readEntry = (reader: Reader, message: Uint8Array): Entry => {
  const name = reader.name('rejected');
  const [type, group] = [reader.uint16(), reader.uint16()];
  return { name, type, group, asSent: message.slice(HEADER_LENGTH, reader.offset) };
};

const readAdditional = (reader: Reader): Edns | undefined => {
  const owner = reader.name('rejected');
  if (reader.uint16() === TYPE.OPT && owner.length === 0) return readEdns(reader);
  reader.fail('the question has an additional record that is not of EDNS');
  return undefined;
};

/** What is asked. */
export interface AskedQuestion {
  /** In lower case. */
  readonly name: Name;
  readonly type: number;
}

/** What a resolver is asked. */
export interface NewQuestion extends AskedQuestion {
  /** 0–65535, unpredictable: with the port it tells a true answer from a forged one. */
  readonly id: number;
}

/**
 * A question with nothing of the asker's but the name and the type: no letter case, no flag, no option. `size`: bytes
 * over UDP that we accept.
 */
export const buildQuestion = ({ id, name, type }: NewQuestion, size?: number): Uint8Array => {
  const writer = new Writer();
  const counts = { questions: 1, answers: 0, authorities: 0, additionals: 1 };
  writeHeader(writer, { id, flags: FLAG.recursionDesired, ...counts });
  writer.plainName(name);
  writer.uint16(type);
  writer.uint16(CLASS_IN);
  writeEdns(writer, 0, size);
  return writer.finish();
};
