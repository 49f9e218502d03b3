/** What to write for what was refused: enough, and nothing beyond except by a service's name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/diagnostics/destination.ts';
import { formatDestination } from '../../../src/diagnostics/destination.ts';
import type { PolicyView } from '../../../src/diagnostics/policy-view.ts';
import { createSuggester } from '../../../src/diagnostics/suggest.ts';
import { compile } from '../../../src/policy/compile.ts';
import { canonical } from '../../../src/policy/rule-set.ts';
import { allows } from '../policy/rule-sets.ts';
import { aclOf, arbitraryPolicy, catalogOf, instance, METADATA, to, view } from './fixtures.ts';

const linesFor = (destinations: readonly Destination[], context: PolicyView = view([], {})) =>
  createSuggester(context)(destinations).lines.map(({ text }) => text);

const hosts = (...numbers: readonly number[]) => numbers.map((number) => to(`10.0.0.${number}`, 'tcp', 443));

test('the lines allow all that was refused, and nothing else except by service', () => {
  fc.assert(
    fc.property(...arbitraryPolicy, (keys, catalog, grants, seen) => {
      const { lines } = createSuggester(view(grants, keys, { catalog }))(seen);
      const acl = aclOf({ new: lines.map(({ text }) => text).join('\n') });
      const { ruleSet, reasons } = compile(['new'], acl, catalog, [METADATA]);
      expect(acl.get('new')?.problems).toEqual([]);
      for (const { host, protocol, port } of seen) expect(allows(ruleSet, host, protocol, port)).toBe(true);
      const byAddress = canonical(
        reasons.filter((one) => one.instance === undefined).map((one) => one.entry),
      );
      const total = byAddress.layers
        .flat()
        .reduce((sum, { prefix, range }) => sum + sizeOfElement(prefix.family, prefix.length, range), 0);
      const exactly = new Set(
        seen.filter((one) => allows(byAddress, one.host, one.protocol, one.port)).map(formatDestination),
      );
      expect(total).toBe(exactly.size);
    }),
    { numRuns: 1000 },
  );
});

const sizeOfElement = (family: number, length: number, range: { first: number; last: number }) =>
  2 ** ((family === 4 ? 32 : 128) - length) * (range.last - range.first + 1);

describe('addresses', () => {
  test('ports become lists and ranges', () => {
    const seen = [80, 443, 8000, 8001, 8002].map((port) => to('10.0.0.1', 'tcp', port));
    expect(linesFor([...seen, to('10.0.0.1', 'udp', 53), ...seen])).toEqual([
      '10.0.0.1:tcp/80,443,8000-8002',
      '10.0.0.1:udp/53',
    ]);
  });

  test('become a prefix where all of it was seen, from four hosts on', () => {
    expect(linesFor(hosts(4, 5))).toEqual(['10.0.0.4:tcp/443', '10.0.0.5:tcp/443']);
    expect(linesFor(hosts(4, 5, 6))).toHaveLength(3);
    expect(linesFor(hosts(4, 5, 6, 7))).toEqual(['10.0.0.4/30:tcp/443']);
  });

  test('IPv6 and ICMP are said as rules say them', () => {
    expect(linesFor([to('2001:db8::1', 'tcp', 80), to('10.0.0.1', 'icmp', 8)])).toEqual([
      '10.0.0.1:icmp/8',
      '[2001:db8::1]:tcp/80',
    ]);
  });

  test('a protected host is named, and marked as risky', () => {
    const { lines } = createSuggester(view([], {}))([to('169.254.169.254', 'tcp', 80)]);
    expect(lines).toMatchObject([{ text: '169.254.169.254:tcp/80', risky: true }]);
  });
});

describe('services', () => {
  const catalog = catalogOf({
    pg: [
      instance('10.0.0.1', 5432, 'production', 'v1'),
      instance('10.0.0.2', 5432, 'production', 'v2'),
      instance('10.0.0.3', 5432, 'staging', 'v2'),
    ],
    web: [instance('10.0.0.9', 80, 'blue'), instance('10.0.0.8', 80, 'blue')],
    'odd/name': [instance('10.0.0.7', 80)],
    'far@dc2': [instance('10.2.0.1', 80)],
  });
  const at = (address: string, port = 5432) => to(address, 'tcp', port);

  test('are named by the tag that other rules use', () => {
    const context = view([], { x: 'production.other' }, { catalog });
    expect(linesFor([at('10.0.0.1')], context)).toEqual(['production.pg']);
  });

  test('are named without a tag where all instances share those that were seen', () => {
    expect(linesFor([at('10.0.0.9', 80)], view([], {}, { catalog }))).toEqual(['web']);
  });

  test('are named by the tags that what was seen has in common', () => {
    expect(linesFor([at('10.0.0.1'), at('10.0.0.2')], view([], {}, { catalog }))).toEqual(['production.pg']);
  });

  test('keep their datacenter, and their protocol', () => {
    expect(linesFor([at('10.2.0.1', 80), to('10.0.0.9', 'udp', 80)], view([], {}, { catalog }))).toEqual([
      'far@dc2',
      'web:udp',
    ]);
  });

  test('whose names no rule can say are named by address', () => {
    expect(linesFor([at('10.0.0.7', 80)], view([], {}, { catalog }))).toEqual(['10.0.0.7:tcp/80']);
  });
});

test('keys that would grant far more come last, and are marked', () => {
  const keys = { wide: '0.0.0.0/0:tcp', a: '10.0.0.1:tcp/443\n10.0.0.9:tcp/80' };
  const { keys: found } = createSuggester(view([], keys))(hosts(1, 2));
  expect(found).toMatchObject([
    { key: 'a', count: 1, rules: 2, broad: false },
    { key: 'wide', count: 2, rules: 1, broad: true },
  ]);
});

test('keys that allow some of it already are named, the most useful first', () => {
  const keys = { a: '10.0.0.1:tcp/443', b: '10.0.0.0/29:tcp/443', mine: '10.0.0.0/29:tcp/80' };
  const { keys: found } = createSuggester(view(['mine'], keys))(hosts(1, 2));
  expect(found.map(({ key, count }) => [key, count])).toEqual([
    ['b', 2],
    ['a', 1],
  ]);
});
