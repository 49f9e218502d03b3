import { describe, expect, it, test } from 'vitest';
import { RCODE, TYPE } from '../../../../src/dns/codes.ts';
import { type Decision, decide, type NamePolicy } from '../../../../src/features/names/decision.ts';
import { FreshNames } from '../../../../src/features/names/fresh-names.ts';
import { formatNames } from '../../../../src/policy/name-rule.ts';
import { dotted, policyOf } from './names.ts';

const RULES = [
  'api.example.com:tcp/443',
  '**.wild.test:tcp/443',
  'n1.node.consul@10.0.0.0/8:tcp/22',
  'db@172.16.0.0/12:tcp/1',
];
const localResolver: NamePolicy['localResolver'] = (name) => {
  if (['db', 'web'].includes(name.join('.'))) return 'docker';
  return name.join('.') === 'web.service.consul' ? 'consul' : undefined;
};
const policy = policyOf(RULES, { localResolver });

const outcome = (decision: Decision): string => {
  if (decision.kind === 'resolve') {
    const { at, rules, isFiltered, wouldBe } = decision;
    return [at, ...rules.map(formatNames), isFiltered ? 'filtered' : 'whole', wouldBe ?? ''].join(' ').trim();
  }
  const [code] = Object.entries(RCODE).find(([, number]) => number === decision.reply.rcode) ?? [];
  return `${code} ${decision.cause}`;
};
const decided = (name: string, type: number = TYPE.A, given: NamePolicy = policy): string =>
  outcome(decide(given, new FreshNames(), { name: dotted(name), type }, 0));

describe('a question', () => {
  test.each<[string, number, string]>([
    ['api.example.com', TYPE.A, 'upstream api.example.com filtered'],
    ['api.example.com', TYPE.TXT, 'upstream api.example.com filtered'],
    ['a.b.wild.test', TYPE.AAAA, 'upstream **.wild.test filtered'],
    ['n1.node.consul', TYPE.A, 'consul n1.node.consul filtered'],
    ['web', TYPE.A, 'docker whole'],
    ['db', TYPE.A, 'docker db whole'],
    ['web.service.consul', TYPE.A, 'consul whole'],
    ['evil.example.com', TYPE.A, 'REFUSED name'],
    ['wild.test', TYPE.A, 'REFUSED name'],
    ['com', TYPE.NS, 'REFUSED name'],
    ['other.node.consul', TYPE.A, 'REFUSED name'],
    ['api.example.com.corp.lan', TYPE.A, 'NXDOMAIN search'],
    ['web.corp.lan', TYPE.A, 'NXDOMAIN search'],
    ['x.wild.test.corp.lan', TYPE.A, 'NXDOMAIN search'],
    ['evil.example.com.corp.lan', TYPE.A, 'REFUSED name'],
    ['api.example.com', TYPE.HTTPS, 'NOERROR hints'],
    ['api.example.com', TYPE.SVCB, 'NOERROR hints'],
    ['web', TYPE.HTTPS, 'NOERROR hints'],
    ['evil.example.com', TYPE.HTTPS, 'REFUSED name'],
    ...[TYPE.ANY, TYPE.AXFR, TYPE.IXFR, TYPE.NULL, TYPE.OPT, 0, 7, 100, 249, 250, 253, 254, 258, 65_280].map(
      (type): [string, number, string] => ['api.example.com', type, 'REFUSED type'],
    ),
    ...[48, 256, 257].map((type): [string, number, string] => [
      'api.example.com',
      type,
      'upstream api.example.com filtered',
    ]),
  ])('for %s of type %i: %s', (name, type, expected) => {
    expect(decided(name, type)).toBe(expected);
  });

  it('for the root is one for a name that no rule allows', () => {
    expect(outcome(decide(policy, new FreshNames(), { name: [], type: TYPE.NS }, 0))).toBe('REFUSED name');
  });

  it('for another name gets NXDOMAIN where that is wanted', () => {
    expect(decided('evil.example.com', TYPE.A, { ...policy, answer: 'nxdomain' })).toBe('NXDOMAIN name');
  });

  it('is passed on whole in audit, with what would be', () => {
    const audit: NamePolicy = { ...policy, mode: 'audit' };
    expect(decided('evil.example.com', TYPE.A, audit)).toBe('upstream whole name');
    expect(decided('api.example.com', TYPE.ANY, audit)).toBe('upstream whole type');
    expect(decided('api.example.com', TYPE.A, audit)).toBe('upstream api.example.com whole');
  });

  it('for too many new names under a wildcard fails for a while', () => {
    const fresh = new FreshNames({ perMinute: 2, memory: 10 });
    const ask = (name: string, now: number): string =>
      outcome(decide(policy, fresh, { name: dotted(name), type: TYPE.A }, now));
    expect(['a', 'b', 'c', 'a'].map((label) => ask(`${label}.wild.test`, 0))).toEqual([
      'upstream **.wild.test filtered',
      'upstream **.wild.test filtered',
      'SERVFAIL fresh',
      'upstream **.wild.test filtered',
    ]);
    expect(ask('api.example.com', 0)).toBe('upstream api.example.com filtered');
    expect(ask('c.wild.test', 30_000)).toBe('upstream **.wild.test filtered');
  });
});
