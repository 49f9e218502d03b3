import packet from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { MOST_RECORDS, negativeTtl, parseAnswer, readAnswer } from '../../../src/dns/answer.ts';
import { RCODE, TYPE } from '../../../src/dns/codes.ts';
import type { NewQuestion } from '../../../src/dns/question.ts';
import { buildQuestion, parseQuestion } from '../../../src/dns/question.ts';
import { Reader } from '../../../src/dns/reader.ts';
import type { DnsRecord } from '../../../src/dns/record.ts';
import { buildReply } from '../../../src/dns/reply.ts';
import { parseAddress } from '../../../src/net/address.ts';
import { anyName, hostName, latin1, long, message, mutated, n } from './messages.ts';
import { someRecords } from './records.ts';

const ASKED: NewQuestion = { id: 7, name: ['api', 'test'], type: TYPE.A };
/** The question stands at 12, its name's second label at 16. */
const QUESTION = [n('api', 'test'), TYPE.A, 1] as const;
const head = (answers: number, authorities = 0, additionals = 0, flags = 0x8180) =>
  [7, flags, 1, answers, authorities, additionals, ...QUESTION] as const;
const OWN = '\xc0\x0c';
const record = (type: number, content: string, owner = OWN, ttl = 60) =>
  [owner, type, 1, long(ttl), content.length, content] as const;
const answerTo = (...parts: readonly (number | string)[]) => parseAnswer(message(...parts), ASKED);
const own = (type: number, data: string, ttl = 60) => ({ name: ASKED.name, type, ttl, data: message(data) });

describe('an answer', () => {
  it('has its records with their names in full', () => {
    const parsed = answerTo(
      ...head(4),
      ...record(TYPE.CNAME, '\x03www\xc0\x10'),
      ...record(TYPE.MX, '\0\x05\xc0\x0c'),
      ...record(TYPE.A, '\x01\x02\x03\x04', n('WWW', 'Test')),
      ...record(TYPE.TXT, '\x02\xc0\x0c'),
    );
    expect(parsed).toEqual({
      answer: {
        ...{ rcode: 0, isTruncated: false, soa: undefined },
        records: [
          { ...own(TYPE.CNAME, n('www', 'test')), target: ['www', 'test'] },
          own(TYPE.MX, `\0\x05${n('api', 'test')}`),
          { ...own(TYPE.A, '\x01\x02\x03\x04'), name: ['www', 'test'] },
          own(TYPE.TXT, '\x02\xc0\x0c'),
        ],
      },
    });
  });

  it('may have a name in other letter case than the question', () => {
    expect(answerTo(7, 0x8180, 1, 0, 0, 0, n('API', 'tEST'), TYPE.A, 1)).toHaveProperty('answer');
  });

  test.each([
    [0, 0],
    [0x7fff_ffff, 0x7fff_ffff],
    [0x8000_0000, 0],
    [0xffff_ffff, 0],
  ])('of a lifetime of %i counts as one of %i', (ttl, expected) => {
    const parsed = answerTo(...head(1), ...record(TYPE.A, '\x01\x02\x03\x04', OWN, ttl));
    expect(parsed).toMatchObject({ answer: { records: [{ ttl: expected }] } });
  });

  const soa = `${n('ns')}${n('mail')}${long(1)}${long(2)}${long(3)}${long(4)}${long(300)}`;

  it('of nothing has the record that says for how long', () => {
    const parsed = answerTo(...head(0, 2, 0, 0x8183), ...record(TYPE.NS, n('ns')), ...record(TYPE.SOA, soa));
    if ('reason' in parsed) throw new Error(parsed.reason);
    expect(parsed.answer.rcode).toBe(RCODE.NXDOMAIN);
    if (parsed.answer.soa === undefined) throw new Error('no SOA');
    expect(negativeTtl(parsed.answer.soa)).toBe(60);
    expect(negativeTtl({ ...parsed.answer.soa, ttl: 3_600 })).toBe(300);
  });

  it('of EDNS has the high bits of its response code', () => {
    const parsed = answerTo(
      ...head(0, 0, 2),
      ...record(TYPE.A, '\x01\x02\x03\x04'),
      ...['\0', 41, 4096, 0x0100, 0, 0],
    );
    expect(parsed).toMatchObject({ answer: { rcode: RCODE.BADVERS, records: [] } });
  });

  it('that is truncated is not read further', () => {
    expect(answerTo(...head(9, 0, 0, 0x8380), 'anything')).toEqual({
      answer: { rcode: 0, isTruncated: true, records: [], soa: undefined },
    });
  });

  const A = record(TYPE.A, '\x01\x02\x03\x04');
  test.each<[string, readonly (number | string)[], string]>([
    ['a question', [7, 0x0100, 1, 0, 0, 0, ...QUESTION], 'the message is a question, not an answer'],
    ['another id', [8, 0x8180, 1, 0, 0, 0, ...QUESTION], 'the answer has another id than the question'],
    ['an opcode', [7, 0xa180, 1, 0, 0, 0, ...QUESTION], 'the answer is to no standard query'],
    ['no question', [7, 0x8180, 0, 0, 0, 0], 'the answer repeats 0 questions, not one'],
    [
      'another name',
      [7, 0x8180, 1, 0, 0, 0, n('apj', 'test'), TYPE.A, 1],
      'the answer is to another question',
    ],
    [
      'another division',
      [7, 0x8180, 1, 0, 0, 0, n('api.test'), TYPE.A, 1],
      'the answer is to another question',
    ],
    [
      'another type',
      [7, 0x8180, 1, 0, 0, 0, n('api', 'test'), TYPE.AAAA, 1],
      'the answer is to another question',
    ],
    [
      'another class',
      [7, 0x8180, 1, 0, 0, 0, n('api', 'test'), TYPE.A, 3],
      'the answer is to another question',
    ],
    ['more bytes', [...head(1), ...A, 'x'], 'bytes follow the last record'],
    [
      'a record of class CH',
      [...head(1), OWN, TYPE.A, 3, long(1), 4, 'abcd'],
      'a record of another class than IN',
    ],
    ['five bytes of IPv4', [...head(1), ...record(TYPE.A, 'abcde')], 'an address of a wrong length'],
    ['four bytes of IPv6', [...head(1), ...record(TYPE.AAAA, 'abcd')], 'an address of a wrong length'],
    [
      'bytes after a CNAME',
      [...head(1), ...record(TYPE.CNAME, `${n('b')}x`)],
      'a record is longer than its content',
    ],
    [
      'a CNAME longer than its record',
      [...head(2), OWN, TYPE.CNAME, 1, long(1), 2, n('b'), ...A],
      'a name ends early',
    ],
    [
      'a pointer forward',
      [...head(1), ...record(TYPE.A, 'abcd', '\xc0\x40')],
      'a pointer that does not lead backwards',
    ],
    [
      'a pointer to itself',
      [...head(1), ...record(TYPE.A, 'abcd', '\xc0\x1a')],
      'a pointer that does not lead backwards',
    ],
    [
      'a pointer into the header',
      [...head(1), ...record(TYPE.A, 'abcd', '\xc0\x0b')],
      'a pointer that does not lead backwards',
    ],
    ['a loop of a label', [...head(1), ...record(TYPE.A, 'abcd', '\x01a\xc0\x1a')], 'a name ends early'],
    ['half a pointer', [...head(1), '\xc0'], 'a name ends early'],
    ['EDNS in the answer', [...head(1), '\0', 41, 512, 0, 0, 0], 'an EDNS record where none may be'],
    [
      'two of EDNS',
      [...head(0, 0, 2), '\0', 41, 512, 0, 0, 0, '\0', 41, 512, 0, 0, 0],
      'an EDNS record that is not the only one',
    ],
    ['a missing record', [...head(2), ...A], 'a name ends early'],
    ['65,535 records', [...head(0xffff), ...A], `the answer has more than ${MOST_RECORDS} records`],
  ])('with %s counts as none', (_, parts, reason) => {
    expect(answerTo(...parts)).toEqual({ reason });
  });
});

const built = (name: readonly string[], records: readonly DnsRecord[]): Uint8Array => {
  const parsed = parseQuestion(buildQuestion({ id: 7, name, type: TYPE.A }));
  if ('rejected' in parsed) throw new Error(parsed.rejected.reason);
  return buildReply(parsed.question, { rcode: RCODE.NOERROR, records }, 'tcp');
};

describe('any answer', () => {
  const valid = fc
    .tuple(hostName, someRecords(fc.oneof(hostName, anyName)), fc.option(someRecords(hostName)))
    .map(([name, records]) => ({
      bytes: built(name, records),
      records,
      asked: { id: 7, name, type: TYPE.A },
    }));

  it('that is built is read as what it was built from', () => {
    fc.assert(
      fc.property(valid, ({ bytes, records, asked }) => {
        expect(parseAnswer(bytes, asked)).toEqual({
          answer: { rcode: 0, isTruncated: false, soa: undefined, records },
        });
      }),
      { numRuns: 500 },
    );
  });

  it('that is cut anywhere counts as none', () => {
    fc.assert(
      fc.property(valid, ({ bytes, asked }) => {
        for (let length = 0; length < bytes.length; length++)
          expect(parseAnswer(bytes.subarray(0, length), asked)).toHaveProperty('reason');
      }),
      { numRuns: 50 },
    );
  });

  it('of random and changed bytes is read or counts as none, and nothing is thrown', () => {
    const changed = valid.chain(({ bytes, asked }) =>
      mutated(fc.constant(bytes)).map((message) => ({ message, asked })),
    );
    const random = fc.uint8Array({ maxLength: 300 }).map((tail) => ({
      message: message(...head(3, 1, 1), tail),
      asked: ASKED,
    }));
    fc.assert(
      fc.property(fc.oneof(changed, random), (given) => {
        const parsed = parseAnswer(given.message, given.asked);
        expect('answer' in parsed || parsed.reason !== '').toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('that is accepted has the addresses and names that another decoder reads', () => {
    const shared = someRecords(hostName, hostName).map((records) =>
      records.filter(({ type }) => SHARED.includes(type)),
    );
    const messages = fc.tuple(hostName, shared).chain(([name, records]) => {
      const bytes = fc.constant(built(name, records));
      return fc
        .oneof(bytes, mutated(bytes))
        .map((message) => ({ message, asked: { id: 7, name, type: TYPE.A } }));
    });
    let compared = 0;
    fc.assert(
      fc.property(messages, (given) => {
        const parsed = parseAnswer(given.message, given.asked);
        if ('reason' in parsed || parsed.answer.isTruncated) return;
        if (!parsed.answer.records.every(isShared)) return;
        // The other decoder also reads the contents of additional records, which are skipped here.
        if (!latin1(given.message).endsWith(`\0\0\x29\x04\xd0\0\0\0\0\0\0`)) return;
        compared += parsed.answer.records.length;
        const decoded = packet.decode(Buffer.from(given.message));
        expect(decoded.answers?.map(theirs)).toEqual(parsed.answer.records.map(ours));
      }),
      { numRuns: 2_000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  const SHARED: readonly number[] = [TYPE.A, TYPE.AAAA, TYPE.CNAME, TYPE.NS];
  const isPlain = (name: readonly string[]): boolean => name.every((label) => /^[a-z\d-]+$/.test(label));
  const isAddress = (type: number): boolean => type === TYPE.A || type === TYPE.AAAA;
  const inside = ({ data }: DnsRecord): readonly string[] => new Reader(data).name('rejected');
  const isShared = (one: DnsRecord): boolean =>
    SHARED.includes(one.type) && isPlain(one.name) && (isAddress(one.type) || isPlain(inside(one)));
  const dotted = (name: readonly string[]): string => (name.length === 0 ? '.' : name.join('.'));
  const theirs = (answer: packet.Answer): readonly unknown[] => {
    const text = 'data' in answer && typeof answer.data === 'string' ? answer.data.toLowerCase() : undefined;
    const plain = text?.replace(/^::ffff:(?=\d+\.)/, '');
    const isAddressText = answer.type === 'A' || answer.type === 'AAAA';
    return [answer.name.toLowerCase(), isAddressText ? parseAddress(plain ?? '')?.address : plain];
  };
  const ours = (one: DnsRecord): readonly unknown[] => [
    dotted(one.name),
    isAddress(one.type) ? BigInt(`0x${Buffer.from(one.data).toString('hex')}`) : dotted(inside(one)),
  ];
});

describe('the work of an answer', () => {
  const pointer = (to: number): string => String.fromCharCode(0xc0 + (to >>> 8), to & 0xff);
  const text = (owner: string, content = ''): string =>
    `${owner}${String.fromCharCode(0, TYPE.TXT, 0, 1)}${long(1)}${String.fromCharCode(content.length >>> 8, content.length & 0xff)}${content}`;
  const start = message(...head(4_000)).length;
  /** Where the content of a first record of the question's name begins. */
  const inside = start + 12;

  /** 8,000 pointers, each to the one before it: the first is to the name of the question. */
  const pointers = Array.from({ length: 8_000 }, (_, index) =>
    pointer(index === 0 ? 12 : inside + 2 * index - 2),
  ).join('');
  const labels = `${'\x01a'.repeat(120)}${pointer(12)}`;
  /** The same label before a pointer to the one before, 100 times: as many steps as a name may have labels. */
  const ladder = Array.from(
    { length: 100 },
    (_, index) => `\x01a${pointer(index === 0 ? 12 : inside + 4 * index - 4)}`,
  ).join('');

  test.each<[string, string, number]>([
    ['of pointers to pointers', pointers, inside + pointers.length - 2],
    ['of long names', labels, inside],
    ['of labels with pointers between them', ladder, inside + ladder.length - 4],
  ])('%s is bounded by its length', (_, content, target) => {
    const records = text(OWN, content) + text(pointer(target)).repeat(3_999);
    const bytes = message(...head(4_000), records);
    expect(bytes.length).toBeLessThan(65_536);
    const reader = new Reader(bytes);
    const parsed = readAnswer(reader, ASKED);
    expect(parsed).toEqual({ reason: 'too many names and pointers' });
    expect(reader.steps).toBe(4 * bytes.length + 1);
  });

  it('is small for 4,000 addresses', () => {
    const one = `\xc0\x0c${String.fromCharCode(0, 1, 0, 1)}${long(60)}\0\x04abcd`;
    const bytes = message(...head(4_000), one.repeat(4_000));
    const reader = new Reader(bytes);
    expect(readAnswer(reader, ASKED)).toHaveProperty('answer');
    expect(reader.steps).toBe(3 + 4_000 * 4);
  });
});
