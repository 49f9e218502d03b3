/** What a new text of a key would change, and for whom. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../../src/common/slices.ts';
import { isFor } from '../../../src/diagnostics/destination.ts';
import * as diff from '../../../src/diagnostics/diff.ts';
import type { Prefix } from '../../../src/net/address.ts';
import { contains, parsePrefix } from '../../../src/net/address.ts';
import { compile } from '../../../src/policy/compile.ts';
import * as policy from '../../../src/policy/difference.ts';
import { parseRules } from '../../../src/policy/rule.ts';
import { type AllowEntry, canonical, excludeProtected } from '../../../src/policy/rule-set.ts';
import { allows } from '../policy/rule-sets.ts';
import {
  aclOf,
  arbitraryCatalog,
  arbitraryDestination,
  arbitraryGrants,
  arbitraryKeys,
  arbitraryText,
  METADATA,
} from './fixtures.ts';

const difference = (plus: readonly AllowEntry[], minus: readonly AllowEntry[]) =>
  atOnce(policy.difference(plus, minus));

const proposed = (key: string, text: string) => ({ key, text, ...parseRules(key, text) });

const diffKey = (key: string, text: string, context: diff.DiffContext) =>
  atOnce(diff.diffKey(proposed(key, text), context));

const nets = (...lines: readonly string[]): readonly AllowEntry[] =>
  parseRules('key', lines.join('\n')).rules.flatMap(({ rule }) => (rule.kind === 'address' ? rule : []));

const prefixOf = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

describe('the difference of two sets of traffic', () => {
  const small = fc.record({
    prefix: fc
      .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 28, max: 32 }))
      .map(([host, length]) => prefixOf(`10.0.0.${host}/${length}`)),
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    ranges: fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
      .map(([a, b]) => [{ first: Math.min(a, b), last: Math.max(a, b) }]),
  });

  const universe = Array.from({ length: 16 }, (_, host) => prefixOf(`10.0.0.${host}`)).flatMap((host) =>
    [0, 1, 2, 3, 4, 5, 6].flatMap((port) => [
      { host, port, protocol: 'tcp' as const },
      { host, port, protocol: 'udp' as const },
    ]),
  );

  test('is exact, and says nothing twice', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 8 }), fc.array(small, { maxLength: 8 }), (plus, minus) => {
        const result = difference(plus, minus);
        const [all, taken] = [canonical(plus), canonical(minus)];
        for (const one of universe) {
          const found = result.filter(
            ({ prefix, ...traffic }) => contains(prefix, one.host) && isFor({ prefix, ...traffic }, one),
          );
          const expected =
            allows(all, one.host, one.protocol, one.port) && !allows(taken, one.host, one.protocol, one.port);
          expect(found).toHaveLength(expected ? 1 : 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('keeps a prefix whole where only ports are taken', () => {
    expect(
      difference(nets('10.0.0.0/8:tcp/1-100'), nets('10.0.0.0/8:tcp/50', '10.1.0.0/16:udp')),
    ).toMatchObject([
      {
        prefix: prefixOf('10.0.0.0/8'),
        ranges: [
          { first: 1, last: 49 },
          { first: 51, last: 100 },
        ],
      },
    ]);
  });

  test('breaks a prefix up only for the ports that have a hole', () => {
    const left = difference(nets('10.0.0.0/30:tcp/1-9'), nets('10.0.0.0:tcp/5'));
    expect(left.map(({ prefix, ranges }) => [prefix.length, ranges.length])).toEqual([
      [30, 2],
      [32, 1],
      [31, 1],
    ]);
  });
});

const exactly = (...rules: readonly string[]) => rules.map((rule) => ({ rule, partly: false }));

describe('of a key', () => {
  const workloads = [
    { name: 'web', grants: ['db', 'net'] },
    { name: 'job', grants: ['db'] },
    { name: 'cron', grants: ['db'] },
    { name: 'idle', grants: ['net'] },
  ];
  const acl = aclOf({ db: '10.0.0.1:tcp/5432\n10.0.0.2:tcp/5432', net: '10.0.0.0/30:tcp' });
  const context = { acl, catalog: new Map(), protectedHosts: [METADATA], workloads };

  test('is told for those who hold it, unless another key grants the same', () => {
    expect(diffKey('db', '10.0.0.2:tcp/5432\n10.9.0.0/16:udp/53', context)).toEqual({
      problems: [],
      holders: ['web', 'job', 'cron'],
      changes: [
        { workloads: ['web'], gained: exactly('10.9.0.0/16:udp/53'), lost: [] },
        {
          workloads: ['job', 'cron'],
          gained: exactly('10.9.0.0/16:udp/53'),
          lost: exactly('10.0.0.1:tcp/5432'),
        },
      ],
    });
  });

  test('tells a prefix with many holes as a whole, and says so', () => {
    const hosts = Array.from({ length: 100 }, (_, index) => `10.7.0.${index * 2}:tcp/80`);
    const many = { ...context, acl: aclOf({ db: hosts.join('\n') }) };
    const [change] = diffKey('db', [...hosts, '10.7.0.0/16:tcp/1-100'].join('\n'), many).changes;
    expect(change?.gained).toEqual([
      { rule: '10.7.0.0/16:tcp/80', partly: true },
      { rule: '10.7.0.0/16:tcp/1-79,81-100', partly: false },
    ]);
  });

  test('is told once for workloads that see the same, whatever their other keys', () => {
    const [change, ...others] = diffKey(
      'db',
      '10.0.0.1:tcp/5432\n10.0.0.2:tcp/5432\n10.9.0.1:udp/53',
      context,
    ).changes;
    expect(change?.workloads).toEqual(['web', 'job', 'cron']);
    expect(others).toEqual([]);
  });

  test('speaks of port 0 only as a part of all ports', () => {
    const all = { ...context, acl: aclOf({ db: '10.0.0.0/24:tcp' }) };
    expect(diffKey('db', '10.0.0.0/24:tcp/443', all).changes[0]?.lost).toEqual(
      exactly('10.0.0.0/24:tcp/1-442,444-65535'),
    );
    expect(diffKey('db', '', all).changes[0]?.lost).toEqual(exactly('10.0.0.0/24:tcp'));
  });

  test('is nothing where only the wording changes', () => {
    expect(diffKey('db', '# both\n10.0.0.2:tcp/5432,5432\n10.0.0.1:tcp/5432', context).changes).toEqual([]);
  });

  test('does not grant protected hosts either', () => {
    const [change] = diffKey('db', '169.254.0.0/16:tcp/80', context).changes;
    expect(change?.gained).toHaveLength(16);
    expect(change?.gained).not.toContainEqual({ rule: '169.254.169.254:tcp/80', partly: false });
  });

  test('is exact deep inside of prefixes that others break up', () => {
    const wide = { ...context, acl: aclOf({ db: '0.0.0.0/0:tcp' }) };
    const [change] = diffKey('db', '169.254.169.0/24:tcp\n0.0.0.0/0:tcp/1', wide).changes;
    expect(change?.gained).toEqual(exactly('169.254.169.254:tcp'));
  });

  test('may pause between any two lines', () => {
    const lines = (port: number) =>
      Array.from({ length: 1_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}:tcp/${port}`).join('\n');
    const large = { ...context, acl: aclOf({ db: lines(1) }) };
    expect([...diff.diffKey(proposed('db', lines(2)), large)].length).toBeGreaterThan(4_000);
  });

  test('reports bad lines of the new text', () => {
    expect(diffKey('db', '10.0.0.1', context).problems).toMatchObject([{ line: 1 }]);
  });

  test('agrees with the rule sets before and after', () => {
    fc.assert(
      fc.property(
        arbitraryKeys,
        arbitraryText,
        arbitraryCatalog,
        arbitraryGrants,
        fc.array(arbitraryDestination),
        (keys, text, catalog, grants, destinations) => {
          const before = compile(grants, aclOf(keys), catalog, [METADATA]).ruleSet;
          const after = compile(grants, aclOf({ ...keys, a: text }), catalog, [METADATA]).ruleSet;
          const some = [{ name: 'web', grants }];
          const { changes } = diffKey('a', text, {
            acl: aclOf(keys),
            catalog,
            protectedHosts: [METADATA],
            workloads: some,
          });
          const gained = canonical(nets(...(changes[0]?.gained ?? []).map(({ rule }) => rule)));
          const lost = canonical(nets(...(changes[0]?.lost ?? []).map(({ rule }) => rule)));
          for (const { host, protocol, port } of destinations) {
            const [was, is] = [before, after].map((ruleSet) => allows(ruleSet, host, protocol, port));
            expect(allows(gained, host, protocol, port)).toBe(!was && is);
            expect(allows(lost, host, protocol, port)).toBe(was && !is);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('protected hosts are taken out in the way rule sets do it', () => {
  expect(excludeProtected(nets('0.0.0.0/0:tcp'), [METADATA])).toHaveLength(32);
});
