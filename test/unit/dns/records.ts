/** Arbitrary records, with contents as a resolver sends them. */
import fc from 'fast-check';
import { TYPE } from '../../../src/dns/codes.ts';
import type { Name } from '../../../src/dns/name.ts';
import type { DnsRecord } from '../../../src/dns/record.ts';
import { wireName } from '../../../src/dns/writer.ts';
import { anyName } from './messages.ts';

const ttls = fc.integer({ min: 0, max: 0x7fff_ffff });
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** The content of each type, for a name that it may hold. */
const CONTENTS: readonly (readonly [number, (name: Name) => fc.Arbitrary<Uint8Array>])[] = [
  [TYPE.A, () => bytes(4)],
  [TYPE.AAAA, () => bytes(16)],
  [TYPE.CNAME, (name) => fc.constant(wireName(name))],
  [TYPE.DNAME, (name) => fc.constant(wireName(name))],
  [TYPE.NS, (name) => fc.constant(wireName(name))],
  [TYPE.MX, (name) => bytes(2).map((preference) => concat(preference, wireName(name)))],
  [TYPE.SRV, (name) => bytes(6).map((head) => concat(head, wireName(name)))],
  [TYPE.SOA, (name) => bytes(20).map((numbers) => concat(wireName(name), wireName(name), numbers))],
  [TYPE.RP, (name) => fc.constant(concat(wireName(name), wireName([])))],
  [
    TYPE.NAPTR,
    (name) => bytes(4).map((head) => concat(head, Buffer.from('\x01u\x02ab\0', 'latin1'), wireName(name))),
  ],
  [TYPE.SIG, (name) => bytes(18).map((head) => concat(head, wireName(name), Buffer.from('signed')))],
  [TYPE.TXT, () => fc.uint8Array({ maxLength: 40 })],
  [999, () => fc.uint8Array({ maxLength: 40 })],
];

const recordOf = (owner: fc.Arbitrary<Name>, targets: fc.Arbitrary<Name>): fc.Arbitrary<DnsRecord> =>
  fc.tuple(fc.constantFrom(...CONTENTS), owner, targets, ttls).chain(([[type, content], name, target, ttl]) =>
    content(target).map((data) => ({
      ...{ name, type, ttl, data },
      ...(type === TYPE.CNAME || type === TYPE.DNAME ? { target } : {}),
    })),
  );

/** At most six, whose contents hold names of `targets`. */
export const someRecords = (
  owner: fc.Arbitrary<Name>,
  targets: fc.Arbitrary<Name> = anyName,
): fc.Arbitrary<readonly DnsRecord[]> => fc.array(recordOf(owner, targets), { maxLength: 6 });
