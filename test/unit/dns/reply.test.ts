import packet from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseAnswer } from '../../../src/dns/answer.ts';
import { RCODE, type Rcode, TYPE } from '../../../src/dns/codes.ts';
import { parseQuestion, type Question } from '../../../src/dns/question.ts';
import type { DnsRecord } from '../../../src/dns/record.ts';
import { buildRejection, buildReply, NODATA } from '../../../src/dns/reply.ts';
import { hostName, message, n } from './messages.ts';
import { someRecords } from './records.ts';

const asked = (edns?: number, name = n('Api', 'test')): Question => {
  const optional = edns === undefined ? [] : ['\0', TYPE.OPT, edns, 0, 0, 0];
  const parsed = parseQuestion(
    message(9, 0x0110, 1, 0, 0, edns === undefined ? 0 : 1, name, 1, 1, ...optional),
  );
  if ('rejected' in parsed) throw new Error(parsed.rejected.reason);
  return parsed.question;
};

const address = (last: number, name: readonly string[] = ['api', 'test']): DnsRecord => ({
  ...{ name, type: TYPE.A, ttl: 60, data: Uint8Array.of(192, 0, 2, last) },
});
const addresses = (count: number): readonly DnsRecord[] =>
  Array.from({ length: count }, (_, index) => address(index % 256));

describe('a reply', () => {
  test.each<[Rcode, string]>([
    [RCODE.REFUSED, 'REFUSED'],
    [RCODE.NXDOMAIN, 'NXDOMAIN'],
    [RCODE.SERVFAIL, 'SERVFAIL'],
    [RCODE.FORMERR, 'FORMERR'],
    [RCODE.NOTIMP, 'NOTIMP'],
  ])('of rcode %i repeats the question as it was sent', (rcode, name) => {
    const bytes = buildReply(asked(), { rcode, records: [] }, 'udp');
    expect(bytes).toEqual(message(9, 0x8190 | rcode, 1, 0, 0, 0, n('Api', 'test'), 1, 1));
    expect(packet.decode(Buffer.from(bytes))).toMatchObject({ type: 'response', rcode: name });
  });

  it('of nothing has no record, and EDNS only for EDNS', () => {
    expect(buildReply(asked(4096), NODATA, 'udp')).toEqual(
      message(9, 0x8190, 1, 0, 0, 1, n('Api', 'test'), 1, 1, '\0', TYPE.OPT, 1232, 0, 0, 0),
    );
  });

  it('has the names that were written before as pointers', () => {
    const target = ['www', 'test'];
    const alias = { name: ['api', 'test'], type: TYPE.CNAME, ttl: 5, data: message(n(...target)), target };
    const bytes = buildReply(asked(), { rcode: RCODE.NOERROR, records: [alias, address(1, target)] }, 'udp');
    expect(bytes).toEqual(
      message(
        ...[9, 0x8190, 1, 2, 0, 0, n('Api', 'test'), 1, 1],
        ...['\xc0\x0c', TYPE.CNAME, 1, 0, 5, 6, '\x03www\xc0\x10'],
        ...['\xc0\x26', TYPE.A, 1, 0, 60, 4, '\xc0\0\x02\x01'],
      ),
    );
  });

  it('has the name of a DNAME in full', () => {
    const target = ['test'];
    const tree = { name: ['api', 'test'], type: TYPE.DNAME, ttl: 5, data: message(n('test')), target };
    const bytes = buildReply(asked(), { rcode: RCODE.NOERROR, records: [tree] }, 'udp');
    expect(bytes.slice(-6)).toEqual(message(n('test')));
  });

  test.each<[string, number | undefined, 'udp' | 'tcp', number, number]>([
    ['no EDNS', undefined, 'udp', 512, 30],
    ['a small size', 100, 'udp', 512, 29],
    ['a size', 1232, 'udp', 1232, 74],
    ['a large size', 65_000, 'udp', 4096, 253],
    ['TCP', undefined, 'tcp', 65_535, 500],
  ])('to a question with %s holds what fits', (_, edns, transport, limit, expected) => {
    const question = asked(edns);
    const bytes = buildReply(question, { rcode: RCODE.NOERROR, records: addresses(500) }, transport);
    expect(bytes.length).toBeLessThanOrEqual(limit);
    const decoded = packet.decode(Buffer.from(bytes));
    expect(decoded.answers).toHaveLength(expected);
    expect(decoded.flags !== undefined && (decoded.flags & 0x0200) !== 0).toBe(expected < 500);
    expect(decoded.additionals).toHaveLength(edns === undefined ? 0 : 1);
  });

  it('of more than TCP can carry is truncated', () => {
    const bytes = buildReply(asked(), { rcode: RCODE.NOERROR, records: addresses(5_000) }, 'tcp');
    expect(bytes.length).toBeLessThanOrEqual(65_535);
    expect(packet.decode(Buffer.from(bytes)).answers).toHaveLength(4_094);
  });

  it('has its authority where there is nothing, and as many records as it says, at any size', () => {
    const sizes = fc.option(fc.integer({ min: 0, max: 5_000 }), { nil: undefined });
    fc.assert(
      fc.property(someRecords(hostName), someRecords(hostName), sizes, (records, others, edns) => {
        const [soa] = others;
        const question = asked(edns);
        const bytes = buildReply(question, { rcode: RCODE.NXDOMAIN, records, soa }, 'udp');
        expect(bytes.length).toBeLessThanOrEqual(Math.min(Math.max(edns ?? 0, 512), 4096));
        const parsed = parseAnswer(bytes, { id: 9, name: ['api', 'test'], type: TYPE.A });
        if ('reason' in parsed) throw new Error(parsed.reason);
        const { isTruncated } = parsed.answer;
        if (!isTruncated) expect(parsed.answer.records).toEqual(records);
        expect(parsed.answer.rcode).toBe(RCODE.NXDOMAIN);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the answer to what is no question', () => {
  const rejectionOf = (bytes: Uint8Array): Uint8Array | undefined => {
    const parsed = parseQuestion(bytes);
    return 'rejected' in parsed ? buildRejection(parsed.rejected) : undefined;
  };

  test.each<[string, Uint8Array, Uint8Array | undefined]>([
    ['too little', message(1), undefined],
    [
      'an answer: two programs must not answer each other for ever',
      message(1, 0x8000, 1, 0, 0, 0),
      undefined,
    ],
    ['two questions', message(1, 0x0100, 2, 0, 0, 0), message(1, 0x8181, 0, 0, 0, 0)],
    ['an update', message(1, 0x2800, 1, 0, 0, 0), message(1, 0xa884, 0, 0, 0, 0)],
    [
      'EDNS 1',
      message(1, 0x0100, 1, 0, 0, 1, n('a'), 1, 1, '\0', TYPE.OPT, 512, 1, 0, 0),
      message(1, 0x8180, 0, 0, 0, 1, '\0', TYPE.OPT, 1232, 0x0100, 0, 0),
    ],
  ])('%s', (_, bytes, expected) => {
    expect(rejectionOf(bytes)).toEqual(expected);
  });
});
