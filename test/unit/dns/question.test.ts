import packet from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { RCODE, TYPE, typeName } from '../../../src/dns/codes.ts';
import { formatName } from '../../../src/dns/name.ts';
import { buildQuestion, type ParsedQuestion, parseQuestion } from '../../../src/dns/question.ts';
import { anyName, hostName, message, mutated, n } from './messages.ts';

const HEAD = [0x1234, 0x0100, 1, 0, 0, 0] as const;
const A_IN = [TYPE.A, 1] as const;
const OPT = (size: number, version = 0, options = ''): readonly (number | string)[] => [
  ...['\0', TYPE.OPT, size, version, 0, options.length],
  options,
];

const rejection = (parsed: ParsedQuestion): readonly [string, number | undefined] | undefined =>
  'rejected' in parsed ? [parsed.rejected.reason, parsed.rejected.rcode] : undefined;

describe('a question', () => {
  it('is read with its name in lower case, and as it was sent', () => {
    const parsed = parseQuestion(message(...HEAD, n('API', 'Example'), ...A_IN));
    expect(parsed).toEqual({
      question: {
        ...{ id: 0x1234, name: ['api', 'example'], type: TYPE.A, edns: undefined },
        ...{ recursionDesired: true, checkingDisabled: false },
        asSent: message(n('API', 'Example'), ...A_IN),
      },
    });
  });

  test.each([
    [4096, 4096],
    [100, 512],
    [512, 512],
    [65_535, 65_535],
  ])('of EDNS has its size %i read as %i, and its options skipped', (size, expected) => {
    const parsed = parseQuestion(
      message(0x1234, 0x0110, 1, 0, 0, 1, n('a'), ...A_IN, ...OPT(size, 0, '\0\x0a\0\x08secretly')),
    );
    expect(parsed).toMatchObject({ question: { edns: { size: expected }, checkingDisabled: true } });
    expect(JSON.stringify(parsed)).not.toContain('secret');
  });

  test.each([
    ['a dot', n('a.b', 'c'), ['a.b', 'c']],
    ['NUL', n('\0', 'c'), ['\0', 'c']],
    ['0xff', n('\xff'), ['\xff']],
    ['the root', n(), []],
    ['63 bytes', n('a'.repeat(63)), ['a'.repeat(63)]],
    [
      '255 bytes',
      n(...Array<string>(3).fill('a'.repeat(63)), 'b'.repeat(61)),
      [...Array<string>(3).fill('a'.repeat(63)), 'b'.repeat(61)],
    ],
  ])('may have a name with %s', (_, name, labels) => {
    expect(parseQuestion(message(...HEAD, name, ...A_IN))).toMatchObject({ question: { name: labels } });
  });

  const long = n(...Array<string>(3).fill('a'.repeat(63)), 'b'.repeat(62));
  test.each<[string, Uint8Array, string, number | undefined]>([
    ['nothing', message(), 'the message is shorter than a header', undefined],
    ['11 bytes', message(1, 2, 3, 4, 5, 'x'), 'the message is shorter than a header', undefined],
    [
      'an answer',
      message(1, 0x8100, 1, 0, 0, 0, n('a'), ...A_IN),
      'the message is an answer, not a question',
      undefined,
    ],
    [
      'an update',
      message(1, 0x2800, 1, 0, 0, 0, n('a'), ...A_IN),
      'the message is no standard query',
      RCODE.NOTIMP,
    ],
    ['no question', message(1, 0x0100, 0, 0, 0, 0), 'the message has 0 questions, not one', RCODE.FORMERR],
    [
      'two questions',
      message(1, 0x0100, 2, 0, 0, 0, n('a'), ...A_IN, n('b'), ...A_IN),
      'the message has 2 questions, not one',
      RCODE.FORMERR,
    ],
    [
      'an answer record',
      message(1, 0x0100, 1, 1, 0, 0),
      'the question has records of an answer',
      RCODE.FORMERR,
    ],
    ['an authority', message(1, 0x0100, 1, 0, 1, 0), 'the question has records of an answer', RCODE.FORMERR],
    [
      'two more',
      message(1, 0x0100, 1, 0, 0, 2),
      'the question has several additional records',
      RCODE.FORMERR,
    ],
    ['TC', message(1, 0x0300, 1, 0, 0, 0, n('a'), ...A_IN), 'the question is truncated', RCODE.FORMERR],
    ['a pointer', message(...HEAD, '\xc0\x0c', ...A_IN), 'a pointer where none may be', RCODE.FORMERR],
    [
      'a pointer after a label',
      message(...HEAD, '\x01a\xc0\x0c', ...A_IN),
      'a pointer where none may be',
      RCODE.FORMERR,
    ],
    ['a label of kind 01', message(...HEAD, '\x41a\0', ...A_IN), 'a label of an unknown kind', RCODE.FORMERR],
    ['a label of kind 10', message(...HEAD, '\x80a\0', ...A_IN), 'a label of an unknown kind', RCODE.FORMERR],
    ['256 bytes of name', message(...HEAD, long, ...A_IN), 'a name is longer than 255 bytes', RCODE.FORMERR],
    ['no end of the name', message(...HEAD, '\x01a'), 'a name ends early', RCODE.FORMERR],
    ['a cut label', message(...HEAD, '\x05ab'), 'a name ends early', RCODE.FORMERR],
    ['no type', message(...HEAD, n('a')), 'the message ends early', RCODE.FORMERR],
    ['a byte more', message(...HEAD, n('a'), ...A_IN, 'x'), 'bytes follow the question', RCODE.FORMERR],
    [
      'class CH',
      message(...HEAD, n('version', 'bind'), TYPE.TXT, 3),
      'the question is of another class than IN',
      RCODE.REFUSED,
    ],
    [
      'class ANY',
      message(...HEAD, n('a'), TYPE.A, 255),
      'the question is of another class than IN',
      RCODE.REFUSED,
    ],
    [
      'a TSIG record',
      message(1, 0x0100, 1, 0, 0, 1, n('a'), ...A_IN, '\0', 250, 255, 0, 0, 0),
      'the question has an additional record that is not of EDNS',
      RCODE.FORMERR,
    ],
    [
      'EDNS of a name',
      message(1, 0x0100, 1, 0, 0, 1, n('a'), ...A_IN, n('b'), TYPE.OPT, 512, 0, 0, 0),
      'the question has an additional record that is not of EDNS',
      RCODE.FORMERR,
    ],
    [
      'EDNS 1',
      message(1, 0x0100, 1, 0, 0, 1, n('a'), ...A_IN, ...OPT(512, 1)),
      'the question has a later version of EDNS',
      RCODE.BADVERS,
    ],
    [
      'cut options',
      message(1, 0x0100, 1, 0, 0, 1, n('a'), ...A_IN, '\0', TYPE.OPT, 512, 0, 0, 9, 'abc'),
      'the message ends early',
      RCODE.FORMERR,
    ],
  ])('with %s is rejected', (_, bytes, reason, rcode) => {
    expect(rejection(parseQuestion(bytes))).toEqual([reason, rcode]);
  });

  const valid = fc
    .tuple(anyName, fc.nat({ max: 65_535 }), fc.nat({ max: 65_535 }))
    .map(([name, type, id]) => buildQuestion({ id, name, type }));

  it('that is cut anywhere is rejected', () => {
    fc.assert(
      fc.property(valid, (bytes) => {
        for (let length = 0; length < bytes.length; length++)
          expect(rejection(parseQuestion(bytes.subarray(0, length)))).toBeDefined();
        expect(rejection(parseQuestion(bytes))).toBeUndefined();
      }),
      { numRuns: 30 },
    );
  });

  it('of random and changed bytes is read or rejected, and never throws', () => {
    const anything = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated(valid));
    fc.assert(
      fc.property(anything, (bytes) => {
        const parsed = parseQuestion(bytes);
        const reason = rejection(parsed)?.[0];
        expect('question' in parsed || (reason ?? '') !== '').toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('that is accepted is the one that another decoder reads', () => {
    const types = [TYPE.A, TYPE.AAAA, TYPE.TXT, TYPE.MX, TYPE.SRV].map(typeName);
    const encoded = fc
      .tuple(hostName, fc.constantFrom(...types), fc.boolean(), fc.nat({ max: 65_535 }))
      .map(([name, type, hasEdns, id]) => {
        const edns = {
          type: 'OPT',
          name: '.',
          udpPayloadSize: 1400,
          extendedRcode: 0,
          ednsVersion: 0,
        } as const;
        const text = `{"type":"query","id":${id},"flags":256,"questions":[{"type":"${type}","name":"${name.join('.')}"}]}`;
        const query: packet.Packet = JSON.parse(text);
        const additionals: packet.Answer[] = [{ ...edns, flags: 0, flag_do: false, options: [] }];
        return new Uint8Array(packet.encode(hasEdns ? { ...query, additionals } : query));
      });
    fc.assert(
      fc.property(fc.oneof(encoded, mutated(encoded)), (bytes) => {
        const parsed = parseQuestion(bytes);
        if (!('question' in parsed)) return;
        const { id, name, type } = parsed.question;
        if (name.some((label) => /[^a-z\d_-]/.test(label))) return;
        const decoded = packet.decode(Buffer.from(bytes));
        expect(decoded.id).toBe(id);
        expect(decoded.questions).toHaveLength(1);
        expect(decoded.questions?.[0]?.name.toLowerCase()).toBe(name.length === 0 ? '.' : formatName(name));
        if (types.includes(typeName(type))) expect(decoded.questions?.[0]?.type).toBe(typeName(type));
      }),
      { numRuns: 2_000 },
    );
    const [sample] = fc.sample(encoded, { seed: 1, numRuns: 1 });
    expect(rejection(parseQuestion(sample ?? new Uint8Array(0)))).toBeUndefined();
  });
});

describe('a new question', () => {
  it('has the name, the type and the id, and nothing else of the asker', () => {
    fc.assert(
      fc.property(anyName, fc.nat({ max: 65_535 }), fc.nat({ max: 65_535 }), (name, type, id) => {
        const bytes = buildQuestion({ id, name, type });
        expect(bytes).toEqual(
          message(id, 0x0100, 1, 0, 0, 1, n(...name), type, 1, '\0', TYPE.OPT, 1232, 0, 0, 0),
        );
      }),
    );
  });
});
