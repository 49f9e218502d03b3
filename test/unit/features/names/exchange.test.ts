import { describe, expect, it } from 'vitest';
import { type Answer, parseAnswer } from '../../../../src/dns/answer.ts';
import { RCODE, TYPE } from '../../../../src/dns/codes.ts';
import type { Name } from '../../../../src/dns/name.ts';
import { buildQuestion } from '../../../../src/dns/question.ts';
import type { DnsRecord } from '../../../../src/dns/record.ts';
import { addressOf } from '../../../../src/features/names/admission.ts';
import type { NamePolicy } from '../../../../src/features/names/decision.ts';
import { type NameState, type Received, receive, settle } from '../../../../src/features/names/exchange.ts';
import { FreshNames } from '../../../../src/features/names/fresh-names.ts';
import { GrantTable } from '../../../../src/features/names/grant-table.ts';
import { changePolicy } from '../../../../src/features/names/policy-change.ts';
import { formatPrefix } from '../../../../src/net/address.ts';
import { message, n } from '../../dns/messages.ts';
import { address, addressRecord, aliasRecord, dotted, formatElement, policyOf } from './names.ts';

const stateOf = (rules: readonly string[], more: Partial<NamePolicy> = {}): NameState => ({
  policy: policyOf(rules, more),
  fresh: new FreshNames(),
  grants: new GrantTable({ perName: 3, perNamespace: 100 }),
});

const API = dotted('api.test');
const resolving = (state: NameState, name: Name = API, type: number = TYPE.A) => {
  const received: Received = receive(state, buildQuestion({ id: 5, name, type }), 'udp', 0);
  if (received.kind !== 'resolve') throw new Error(received.kind);
  return received;
};
const answerOf = (records: readonly DnsRecord[], rcode: number = RCODE.NOERROR): Answer => ({
  ...{ rcode, records, isTruncated: false, soa: undefined },
});
const a = (to: string, name: Name = API, ttl = 60) => addressRecord(name, address(to), ttl);

/** `NOERROR 1.1.1.1`; of other records the type. */
const read = (bytes: Uint8Array, name: Name = API, type: number = TYPE.A): string => {
  const parsed = parseAnswer(bytes, { id: 5, name, type });
  if ('reason' in parsed) throw new Error(parsed.reason);
  const { rcode, records } = parsed.answer;
  const [code] = Object.entries(RCODE).find(([, number]) => number === rcode) ?? [];
  const texts = records.map((record) => {
    const to = addressOf(record);
    return to === undefined ? `type ${record.type}` : formatPrefix(to);
  });
  return [code, ...texts].join(' ');
};

describe('a question and its answer', () => {
  it('have one grant for each address, before the answer leaves', () => {
    const state = stateOf(['api.test:tcp/443', 'api.test:udp/443']);
    const records = [
      aliasRecord(API, dotted('b.test')),
      a('1.1.1.1', dotted('b.test')),
      a('9.9.9.9', dotted('c.test')),
    ];
    const settled = settle(state, resolving(state), answerOf(records), 'udp', 0);
    expect(settled.send.map(formatElement)).toEqual(['1.1.1.1 tcp/443', '1.1.1.1 udp/443']);
    const { bytes, orphans } = settled.release(0);
    expect(read(bytes)).toBe('NOERROR type 5 1.1.1.1');
    expect(orphans).toEqual([]);
  });

  it('lose the addresses that no rule grants, and say why', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(
      state,
      resolving(state),
      answerOf([a('1.1.1.1'), a('10.0.0.1'), a('127.0.0.1')]),
      'udp',
      0,
    );
    expect(read(settled.release(0).bytes)).toBe('NOERROR 1.1.1.1');
    expect(settled.notGranted).toEqual([
      '10.0.0.1: it is private, and the rule names no prefix with "@"',
      '127.0.0.1: it is loopback',
    ]);
  });

  it('are of nothing if nothing is left', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(state, resolving(state), answerOf([a('10.0.0.1')]), 'udp', 0);
    expect(settled.send).toEqual([]);
    expect(read(settled.release(0).bytes)).toBe('NOERROR');
  });

  it('grant an address to the rules whose prefix has it', () => {
    const state = stateOf(['api.test:tcp/443', 'api.test@10.0.0.0/8:tcp/5432']);
    const { send } = settle(state, resolving(state), answerOf([a('1.1.1.1'), a('10.0.0.1')]), 'udp', 0);
    expect(send.map(formatElement)).toEqual(['1.1.1.1 tcp/443', '10.0.0.1 tcp/5432']);
  });

  it('fail if the kernel did not take the grant', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(state, resolving(state), answerOf([a('1.1.1.1')]), 'udp', 0);
    expect(read(settled.abandon(0).bytes)).toBe('SERVFAIL');
  });

  it('fail without an answer, and with one that failed', () => {
    const state = stateOf(['api.test:tcp/443']);
    for (const answer of [undefined, answerOf([], RCODE.REFUSED), answerOf([], RCODE.SERVFAIL)])
      expect(read(settle(state, resolving(state), answer, 'udp', 0).release(0).bytes)).toBe('SERVFAIL');
  });

  it('say that a name does not exist, and for how long', () => {
    const state = stateOf(['api.test:tcp/443']);
    const data = message(n('ns'), n('mail'), 0, 0, 0, 0, 0, 0, 0, 0, 0, 60);
    const soa = { name: ['test'], type: TYPE.SOA, ttl: 60, data };
    const bytesWith = (owner: Name): Uint8Array => {
      const answer = { ...answerOf([], RCODE.NXDOMAIN), soa: { ...soa, name: owner } };
      return settle(state, resolving(state), answer, 'udp', 0).release(0).bytes;
    };
    const parsed = parseAnswer(bytesWith(['test']), { id: 5, name: API, type: TYPE.A });
    expect(parsed).toMatchObject({ answer: { rcode: RCODE.NXDOMAIN, soa } });
    const other = parseAnswer(bytesWith(['other']), { id: 5, name: API, type: TYPE.A });
    expect(other).toMatchObject({ answer: { rcode: RCODE.NXDOMAIN, soa: undefined } });
  });

  it('fail over the limit of the name, and earlier grants stay', () => {
    const state = stateOf(['api.test:tcp/443']);
    const ask = (...to: readonly string[]) =>
      settle(state, resolving(state), answerOf(to.map((one) => a(one))), 'udp', 0);
    expect(read(ask('1.1.1.1', '1.1.1.2', '1.1.1.3').release(0).bytes)).toBe(
      'NOERROR 1.1.1.1 1.1.1.2 1.1.1.3',
    );
    const over = ask('1.1.1.4');
    expect(over.fault).toBe('the name has as many addresses as --names-limit allows');
    expect(read(over.release(0).bytes)).toBe('SERVFAIL');
    expect(read(ask('1.1.1.2').release(0).bytes)).toBe('NOERROR 1.1.1.2');
  });

  it('have no lifetime beyond the grant', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(state, resolving(state), answerOf([a('1.1.1.1', API, 2_000_000)]), 'udp', 0);
    const parsed = parseAnswer(settled.release(0).bytes, { id: 5, name: API, type: TYPE.A });
    expect(parsed).toMatchObject({ answer: { records: [{ ttl: 86_100 }] } });
    expect(settled.send).toMatchObject([{ grant: 86_400 }]);
  });
});

describe('a change of rules', () => {
  const change = (state: NameState, ...rules: readonly string[]) => changePolicy(state, policyOf(rules), 0);
  const resolved = (state: NameState, ...to: readonly string[]): string =>
    read(settle(state, resolving(state), answerOf(to.map((one) => a(one))), 'udp', 0).release(0).bytes);

  it('while a resolver is asked grants nothing by a rule that is gone', () => {
    const state = stateOf(['api.test:tcp/443']);
    const received = resolving(state);
    change(state);
    const settled = settle(state, received, answerOf([a('1.1.1.1')]), 'udp', 0);
    expect(settled).toMatchObject({ send: [], fault: 'the policy has changed meanwhile' });
    expect(read(settled.release(0).bytes)).toBe('SERVFAIL');
  });

  it('while a resolver is asked counts for the answer', () => {
    const state = stateOf(['api.test:tcp/443', 'api.test:tcp/80']);
    const received = resolving(state);
    change(state, 'api.test:tcp/80', 'api.test:udp/53');
    const settled = settle(state, received, answerOf([a('1.1.1.1')]), 'udp', 0);
    expect(settled.send.map(formatElement)).toEqual(['1.1.1.1 tcp/80', '1.1.1.1 udp/53']);
  });

  it('while the kernel is asked takes back what was sent', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(state, resolving(state), answerOf([a('1.1.1.1')]), 'udp', 0);
    expect(change(state).removed.map(formatElement)).toEqual(['1.1.1.1 tcp/443']);
    const { bytes, orphans } = settled.release(1);
    expect(read(bytes)).toBe('SERVFAIL');
    expect(orphans.map(formatElement)).toEqual(['1.1.1.1 tcp/443']);
  });

  it('while the kernel is asked fails the answer, which may lack a grant of the new rules', () => {
    const state = stateOf(['api.test:tcp/443']);
    const settled = settle(state, resolving(state), answerOf([a('1.1.1.1')]), 'udp', 0);
    change(state, 'api.test:tcp/443', 'api.test:tcp/80');
    expect(read(settled.release(1).bytes)).toBe('SERVFAIL');
  });

  it('removes the elements of a name that goes, and no others', () => {
    const state = stateOf(['api.test:tcp/443', 'api.test:tcp/80']);
    resolved(state, '1.1.1.1', '1.1.1.2');
    const { removed, reservations } = change(state, 'api.test:tcp/80');
    expect(removed.map(formatElement)).toEqual(['1.1.1.1 tcp/443', '1.1.1.2 tcp/443']);
    expect(reservations).toEqual([]);
  });

  it('removes the addresses outside of a narrower prefix', () => {
    const state = stateOf(['api.test@10.0.0.0/8:tcp/443']);
    resolved(state, '10.0.0.1', '10.1.0.1');
    expect(change(state, 'api.test@10.1.0.0/16:tcp/443').removed.map(formatElement)).toEqual([
      '10.0.0.1 tcp/443',
    ]);
  });

  it('grants new ports of addresses that the workload has already, for as long as it has them', () => {
    const state = stateOf(['api.test:tcp/443']);
    resolved(state, '1.1.1.1');
    const { removed, reservations } = change(
      state,
      'api.test:tcp/443',
      '**.test.test:tcp/1',
      'api.test:tcp/80',
    );
    expect(removed).toEqual([]);
    expect(reservations.flatMap(({ send }) => send)).toEqual([
      { portClass: 'tcp/80', address: address('1.1.1.1'), grant: 360, timeout: 360, enough: 360 },
    ]);
  });
});

describe('in audit', () => {
  it('answers are whole, and what is allowed is granted', () => {
    const state = stateOf(['api.test:tcp/443'], { mode: 'audit' });
    const records = [a('1.1.1.1'), a('10.0.0.1'), a('9.9.9.9', dotted('other.test'))];
    const settled = settle(state, resolving(state), answerOf(records), 'udp', 0);
    expect(settled.send.map(formatElement)).toEqual(['1.1.1.1 tcp/443']);
    expect(settled.notGranted).toEqual(['10.0.0.1: it is private, and the rule names no prefix with "@"']);
    expect(read(settled.release(0).bytes)).toBe('NOERROR 1.1.1.1 10.0.0.1 9.9.9.9');
    expect(read(settled.abandon(0).bytes)).toBe('NOERROR 1.1.1.1 10.0.0.1 9.9.9.9');
  });

  it('names without a rule are answered', () => {
    const state = stateOf([], { mode: 'audit' });
    const received = resolving(state);
    expect(received.decision.wouldBe).toBe('name');
    const loop = [aliasRecord(API, API)];
    expect(read(settle(state, received, answerOf(loop), 'udp', 0).release(0).bytes)).toBe('NOERROR type 5');
  });
});

describe('a name of the local network', () => {
  const local = (at: 'docker' | 'consul'): Partial<NamePolicy> => ({ localResolver: () => at });
  const records = [a('172.18.0.2'), a('10.0.0.1')];

  it('is answered without a grant', () => {
    const state = stateOf([], local('docker'));
    const settled = settle(state, resolving(state), answerOf([a('172.18.0.2')]), 'udp', 0);
    expect(settled).toMatchObject({ send: [], notGranted: [] });
    expect(read(settled.release(0).bytes)).toBe('NOERROR 172.18.0.2');
  });

  it("is granted by the word of Consul's server, but not by Docker's, which a workload can forge", () => {
    const settledAt = (at: 'docker' | 'consul') => {
      const state = stateOf(['api.test@172.16.0.0/12:tcp/80'], local(at));
      return settle(state, resolving(state), answerOf(records), 'udp', 0);
    };
    expect(settledAt('consul').send.map(formatElement)).toEqual(['172.18.0.2 tcp/80']);
    const forgeable = settledAt('docker');
    expect(forgeable.send).toEqual([]);
    expect(forgeable.notGranted[0]).toMatch(/^172\.18\.0\.2: rules by name grant no address of a container/);
    for (const settled of [settledAt('consul'), forgeable])
      expect(read(settled.release(0).bytes)).toBe('NOERROR 172.18.0.2 10.0.0.1');
  });
});

describe('a message that is no question', () => {
  it('gets an answer that says so, or none', () => {
    const state = stateOf([]);
    expect(receive(state, message(1, 0x8000, 1, 0, 0, 0), 'udp', 0)).toEqual({
      kind: 'nothing',
      reason: 'the message is an answer, not a question',
    });
    expect(receive(state, message(1, 0x0100, 2, 0, 0, 0), 'udp', 0)).toEqual({
      kind: 'reply',
      bytes: message(1, 0x8181, 0, 0, 0, 0),
    });
  });
});
