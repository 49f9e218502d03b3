/** From grants to what is allowed, and what is said of what allows nothing. */
import { describe, expect, test } from 'vitest';
import { type Instance, OUTDATED } from '../../../src/inventory/service.ts';
import { type Prefix, parseAddress } from '../../../src/net/address.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { type Catalog, compile, servicesOf } from '../../../src/policy/compile.ts';
import { allows } from './rule-sets.ts';

const instance = (address: string, port: number, ...tags: string[]): Instance => ({
  address,
  port,
  tags,
  node: 'n1',
});

function address(text: string): Prefix {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

const METADATA = [address('169.254.169.254'), address('fd00:ec2::254')];

function resolved(
  rules: Readonly<Record<string, string>>,
  grants: readonly string[],
  services: Readonly<Record<string, readonly Instance[]>> = {},
) {
  const catalog: Catalog = new Map(Object.entries(services));
  const { ruleSet, problems, pending } = compile(
    grants,
    parseAcl(new Map(Object.entries(rules))),
    catalog,
    METADATA,
  );
  const reaches = (host: string, protocol: 'tcp' | 'udp' | 'icmp', port: number) =>
    allows(ruleSet, address(host), protocol, port);
  return { reaches, pending, reasons: problems.map(({ key, line, reason }) => [key, line, reason]) };
}

describe('grants', () => {
  test('add up, and what is not granted allows nothing', () => {
    const { reaches } = resolved({ a: '10.0.0.1:tcp/1', b: '10.0.0.2:udp/2', c: '10.0.0.3:tcp/3' }, [
      'a',
      'b',
    ]);
    expect([reaches('10.0.0.1', 'tcp', 1), reaches('10.0.0.2', 'udp', 2)]).toEqual([true, true]);
    expect(reaches('10.0.0.3', 'tcp', 3)).toBe(false);
    expect(reaches('10.0.0.1', 'udp', 1)).toBe(false);
  });

  test('of a key that does not exist are reported', () => {
    expect(resolved({}, ['nope']).reasons).toEqual([
      ['nope', undefined, 'no such ACL key in Consul, so it grants nothing'],
    ]);
  });

  test('of many keys that do not exist are reported by eight of them and their number', () => {
    const keys = Array.from({ length: 10 }, (_, index) => `nope-${index}`);
    const { reasons } = resolved({}, keys);
    expect(reasons).toHaveLength(9);
    expect(reasons.at(-1)?.[2]).toBe('2 more of its keys are not in Consul and grant nothing');
  });

  test('with a bad line apply the good ones', () => {
    const { reaches, reasons } = resolved({ a: '10.0.0.1:tcp/1\n10.0.0.300:tcp/1\n10.0.0.2:tcp/2' }, ['a']);
    expect([reaches('10.0.0.1', 'tcp', 1), reaches('10.0.0.2', 'tcp', 2)]).toEqual([true, true]);
    expect(reasons.map(([key, line]) => [key, line])).toEqual([['a', 2]]);
  });
});

describe('services', () => {
  const db = [
    instance('10.0.0.1', 5432, 'production'),
    instance('10.0.0.2', 5433, 'staging'),
    instance('fd00::1', 5432, 'production', 'v6'),
  ];

  test('allow every instance that has the tag, at its own address and port', () => {
    const { reaches } = resolved({ a: 'production.db' }, ['a'], { db });
    expect([reaches('10.0.0.1', 'tcp', 5432), reaches('fd00::1', 'tcp', 5432)]).toEqual([true, true]);
    expect([reaches('10.0.0.2', 'tcp', 5433), reaches('10.0.0.1', 'tcp', 5433)]).toEqual([false, false]);
  });

  test('without a tag allow every instance; another datacenter is another service', () => {
    const { reaches, pending } = resolved({ a: 'db\ndb@dc2' }, ['a'], { db });
    expect(reaches('10.0.0.2', 'tcp', 5433)).toBe(true);
    expect(pending).toEqual([{ service: 'db', datacenter: 'dc2' }]);
  });

  test('may name udp', () => {
    const { reaches } = resolved({ a: 'dns:udp' }, ['a'], { dns: [instance('10.0.0.53', 53)] });
    expect([reaches('10.0.0.53', 'udp', 53), reaches('10.0.0.53', 'tcp', 53)]).toEqual([true, false]);
  });

  test.each([
    ['db.example', 5432, 'is registered with "db.example", which is not an IP address'],
    ['10.0.0.1', 0, 'is registered with port 0, and a rule by service needs one'],
    ['10.0.0.1', 65_536, 'is registered with port 65536, and a rule by service needs one'],
    ['169.254.169.254', 80, 'is registered with the protected address 169.254.169.254'],
    ['fd00:ec2::254', 80, 'is registered with the protected address fd00:ec2::254'],
  ])('an instance at %s port %i is reported and allows nothing', (host, port, reason) => {
    const { reasons, reaches } = resolved({ a: 'svc' }, ['a'], { svc: [instance(host, port)] });
    expect(reasons[0]?.[2]).toContain(reason);
    expect(reaches('169.254.169.254', 'tcp', 80)).toBe(false);
  });

  test.each([1, 65_535])('an instance at port %i is granted', (port) => {
    const { reaches, reasons } = resolved({ a: 'svc' }, ['a'], { svc: [instance('10.0.0.1', port)] });
    expect(reaches('10.0.0.1', 'tcp', port)).toBe(true);
    expect(reasons).toEqual([]);
  });

  test('that are older than --max-age are reported as that', () => {
    const { reasons } = resolved({ a: 'svc' }, ['a'], { svc: OUTDATED });
    expect(reasons).toEqual([
      ['a', 1, 'svc is older than --max-age, so it grants nothing until Consul confirms it'],
    ]);
  });

  test('are looked up for rules by service alone, each once', () => {
    const acl = parseAcl(new Map([['a', '10.0.0.1:tcp/1\nsvc\ntagged.svc\nother']]));
    expect(servicesOf(acl.values()).map(({ service }) => service)).toEqual(['svc', 'other']);
  });

  test('with nothing registered, or not with the tag, are reported', () => {
    const { reasons } = resolved({ a: 'none\ncanary.db' }, ['a'], { none: [], db });
    expect(reasons.map(([, , reason]) => reason)).toEqual([
      'no instance of none is registered, so it grants nothing',
      'no instance of db has the tag "canary" (3 without it), so it grants nothing',
    ]);
  });
});

describe('protected addresses', () => {
  test.each([
    ['0.0.0.0/0', false],
    ['169.254.0.0/16', false],
    ['169.254.169.0/24', true],
    ['169.254.169.254', true],
  ])('a rule for %s grants the metadata address: %s', (prefix, granted) => {
    const { reaches } = resolved({ a: `${prefix}:tcp/80` }, ['a']);
    expect(reaches('169.254.169.254', 'tcp', 80)).toBe(granted);
    expect(reaches('169.254.169.253', 'tcp', 80)).toBe(prefix !== '169.254.169.254');
  });

  test('IPv6 has one as well', () => {
    const broad = resolved({ a: '::/0:tcp/80' }, ['a']);
    const narrow = resolved({ a: 'fd00:ec2::/64:tcp/80' }, ['a']);
    expect([broad, narrow].map(({ reaches }) => reaches('fd00:ec2::254', 'tcp', 80))).toEqual([false, true]);
    expect(broad.reaches('fd00:ec2::253', 'tcp', 80)).toBe(true);
  });
});
