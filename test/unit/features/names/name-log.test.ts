import { describe, expect, it } from 'vitest';
import { TYPE } from '../../../../src/dns/codes.ts';
import type { Name } from '../../../../src/dns/name.ts';
import { buildQuestion } from '../../../../src/dns/question.ts';
import type { NamePolicy } from '../../../../src/features/names/decision.ts';
import { type NameState, receive, settle } from '../../../../src/features/names/exchange.ts';
import { FreshNames } from '../../../../src/features/names/fresh-names.ts';
import { GrantTable } from '../../../../src/features/names/grant-table.ts';
import { KEPT_FOR, MOST_DENIED, NameLog } from '../../../../src/features/names/name-log.ts';
import { address, addressRecord, dotted, policyOf } from './names.ts';

const RULES = ['api.test:tcp/443', '*.x.test:tcp/443'];

const stateOf = (more: Partial<NamePolicy> = {}): NameState => ({
  policy: policyOf(RULES, more),
  fresh: new FreshNames({ perMinute: 1, memory: 10 }),
  grants: new GrantTable({ perName: 1, perNamespace: 5 }),
});

const ask = (state: NameState, log: NameLog, name: Name, now: number, type: number = TYPE.A) => {
  const received = receive(state, buildQuestion({ id: 5, name, type }), 'udp', now);
  log.received(received, now);
  return received;
};

/** A question that is passed on, with its answer; undefined: none. */
const resolve = (state: NameState, log: NameLog, to: readonly string[] | undefined, now: number) => {
  const name = dotted('api.test');
  const received = ask(state, log, name, now);
  if (received.kind !== 'resolve') throw new Error(received.kind);
  const records = (to ?? []).map((one) => addressRecord(name, address(one)));
  const answer = to && { rcode: 0, records, isTruncated: false, soa: undefined };
  log.settled(received.question, settle(state, received, answer, 'udp', now), now);
};

describe('the log of names', () => {
  it('has each name that was denied, with its types and times, the latest first', () => {
    const [state, log] = [stateOf(), new NameLog()];
    ask(state, log, dotted('evil.test'), 1_000);
    ask(state, log, ['a.b', 'test'], 2_000, TYPE.TXT);
    ask(state, log, dotted('evil.test'), 3_000, TYPE.AAAA);
    ask(state, log, dotted('api.test'), 4_000, TYPE.ANY);
    expect(log.denied(5_000)).toEqual([
      {
        ...{ name: 'api.test', cause: 'type', types: ['ANY'] },
        ...{ count: 1, firstSeenAt: 4_000, lastSeenAt: 4_000 },
      },
      {
        ...{ name: 'evil.test', cause: 'name', types: ['A', 'AAAA'] },
        ...{ count: 2, firstSeenAt: 1_000, lastSeenAt: 3_000 },
      },
      {
        ...{ name: 'a\\.b.test', cause: 'name', types: ['TXT'] },
        ...{ count: 1, firstSeenAt: 2_000, lastSeenAt: 2_000 },
      },
    ]);
    expect(log.counts).toMatchObject({ asked: 4, answered: 0, denied: { name: 3, type: 1 } });
  });

  it('says which addresses no rule grants, what failed, and which limit is reached', () => {
    const [state, log] = [stateOf(), new NameLog()];
    resolve(state, log, ['1.1.1.1', '10.0.0.1'], 0);
    resolve(state, log, ['1.1.1.2'], 1);
    resolve(state, log, undefined, 2);
    expect(log.denied(3).map(({ cause, reason }) => [cause, reason])).toEqual([
      ['failed', 'no resolver answered'],
      ['limit', 'the name has as many addresses as --names-limit allows'],
      ['address', '10.0.0.1: it is private, and the rule names no prefix with "@"'],
    ]);
    expect(log.counts).toMatchObject({ asked: 3, answered: 1, denied: { address: 1, limit: 1, failed: 1 } });
  });

  it('has too many new names under a wildcard, and none that a search list made', () => {
    const [state, log] = [stateOf(), new NameLog()];
    for (const name of ['a.x.test', 'b.x.test', 'api.test.corp.lan']) ask(state, log, dotted(name), 0);
    expect(log.denied(0).map(({ name, cause }) => [name, cause])).toEqual([['b.x.test', 'fresh']]);
  });

  it('records in audit what enforce would deny', () => {
    const [state, log] = [stateOf({ mode: 'audit' }), new NameLog()];
    expect(ask(state, log, dotted('evil.test'), 0).kind).toBe('resolve');
    expect(log.denied(0).map(({ name, cause }) => [name, cause])).toEqual([['evil.test', 'name']]);
  });

  it('counts what is no question', () => {
    const [state, log] = [stateOf(), new NameLog()];
    for (const bytes of [new Uint8Array(3), new Uint8Array(12)])
      log.received(receive(state, bytes, 'udp', 0), 0);
    expect(log.counts).toMatchObject({ asked: 0, malformed: 2 });
  });

  it('drops the names that were asked for longest ago, and those of more than an hour ago', () => {
    const [state, log] = [stateOf(), new NameLog()];
    for (let index = 0; index <= MOST_DENIED; index++) {
      ask(state, log, dotted(`n${index}.evil.test`), index);
      ask(state, log, dotted('often.evil.test'), index);
    }
    const names = log.denied(MOST_DENIED).map(({ name }) => name);
    expect(names).toHaveLength(MOST_DENIED);
    expect(names).toContain('often.evil.test');
    expect(names).not.toContain('n1.evil.test');
    expect(log.unlisted).toBe(2);
    expect(log.denied(KEPT_FOR + 200).map(({ name }) => name)).toHaveLength(MOST_DENIED + 1 - 200);
    expect(log.denied(KEPT_FOR + MOST_DENIED)).toEqual([]);
  });
});
