/** Questions and answers for tests of the proxy, made and read by another library. */
import packet from 'dns-packet';
import type { Answer } from '../../../src/dns/answer.ts';
import { RCODE, TYPE } from '../../../src/dns/codes.ts';
import type { AskedQuestion } from '../../../src/dns/question.ts';
import type { DnsRecord } from '../../../src/dns/record.ts';
import { address, addressRecord, dotted } from '../features/names/names.ts';

export const asked = (name: string, type: number = TYPE.A): AskedQuestion => ({ name: dotted(name), type });

/** `size`: with EDNS, and so many bytes over UDP. */
export const questionBytes = (name: string, id = 7, type: packet.RecordType = 'A', size = 0): Uint8Array => {
  const edns = { type: 'OPT', name: '.', extendedRcode: 0, ednsVersion: 0, flags: 0 } as const;
  const opt = { ...edns, udpPayloadSize: size, flag_do: false, options: [] };
  return packet.encode({
    ...{ type: 'query', id, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] },
    additionals: size === 0 ? [] : [opt],
  });
};

/** `NOERROR 192.0.2.1 60`: the response code, and each address with its lifetime. */
export const formatAnswer = (bytes: Uint8Array | undefined): string => {
  if (bytes === undefined) return 'none';
  const decoded = packet.decode(Buffer.from(bytes));
  const records = (decoded.answers ?? []).map((one) =>
    one.type === 'A' || one.type === 'AAAA' ? `${one.data} ${one.ttl}` : one.type,
  );
  const rcode = 'rcode' in decoded ? String(decoded.rcode) : '';
  return [rcode, ...(decoded.flag_tc ? ['truncated'] : []), ...records].join(' ');
};

export const answerOf = (records: readonly DnsRecord[], more: Partial<Answer> = {}): Answer => ({
  ...{ rcode: RCODE.NOERROR, isTruncated: false, records, soa: undefined },
  ...more,
});

export const addressAnswer = (name: string, to: string, ttl = 60): Answer =>
  answerOf([addressRecord(dotted(name), address(to), ttl)]);

/** With the lifetime in its content, and of its own. */
export const soaRecord = (name: string, ttl: number, minimum: number): DnsRecord => {
  const data = new Uint8Array(22);
  new DataView(data.buffer).setUint32(18, minimum);
  return { name: dotted(name), type: TYPE.SOA, ttl, data };
};
