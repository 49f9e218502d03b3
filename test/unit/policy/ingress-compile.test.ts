/**
 * What ingress keys allow, for random texts and catalogs: compared with a matcher that knows neither prefixes nor ports
 * as sets, and walks the lines for one caller and one port.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Instance } from '../../../src/inventory/service.ts';
import { contains, formatAddress, formatPrefix, type Prefix } from '../../../src/net/address.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import { type Catalog, compile } from '../../../src/policy/compile.ts';
import type { Protocol } from '../../../src/policy/traffic.ts';
import { entries, points } from './allow-entries.ts';
import { allows } from './rule-sets.ts';

/** A line as it was meant. */
interface Meant {
  readonly from: { readonly prefix: Prefix } | { readonly service: string; readonly tag: string | undefined };
  readonly protocol: Protocol;
  readonly ports: readonly { readonly first: number; readonly last: number }[] | 'all';
  /** Services alone: `icmpv6` instead of `icmp`. */
  readonly isV6: boolean;
}

const SERVICES = ['web', 'prometheus', 'cron'];
const TAGS = ['v1', 'v1.2'];

const meant: fc.Arbitrary<Meant> = fc.record({
  from: fc.oneof(
    entries.map(({ prefix }) => ({ prefix })),
    fc.record({ service: fc.constantFrom(...SERVICES), tag: fc.constantFrom(undefined, ...TAGS) }),
  ),
  protocol: fc.constantFrom<Protocol>('tcp', 'tcp', 'udp', 'icmp'),
  ports: fc.oneof(
    fc.constant('all' as const),
    entries.map(({ ranges }) => ranges.map(({ first, last }) => ({ first: first || 1, last: last || 1 }))),
  ),
  isV6: fc.boolean(),
});

const instances: fc.Arbitrary<readonly Instance[]> = fc.array(
  fc.record({
    address: points.map(({ host }) => formatAddress(host.family, host.address)),
    port: fc.constantFrom(0, 80, 9100),
    tags: fc.subarray(TAGS),
    node: fc.constant('n1'),
  }),
  { maxLength: 4 },
);

const catalogs: fc.Arbitrary<Catalog> = fc.tuple(instances, instances).map(
  ([web, prometheus]) =>
    new Map([
      ['web', web],
      ['prometheus', prometheus],
    ]),
);

const textOf = ({ from, protocol, ports, isV6 }: Meant): string => {
  const list =
    ports === 'all'
      ? ''
      : `/${ports.map(({ first, last }) => (first === last ? first : `${first}-${last}`))}`;
  if ('prefix' in from) return `${formatPrefix(from.prefix)}:${protocol}${list}`;
  const name = from.tag === undefined ? from.service : `${from.tag}.${from.service}`;
  return `${name}:${protocol === 'icmp' && isV6 ? 'icmpv6' : protocol}${list}`;
};

const hostsOf = ({ from }: Meant, catalog: Catalog): readonly string[] =>
  'prefix' in from
    ? []
    : (catalog.get(from.service) ?? [])
        .filter(({ tags }) => from.tag === undefined || tags.includes(from.tag))
        .map(({ address }) => address);

const isOfFamily = ({ from, protocol, ports, isV6 }: Meant, host: Prefix): boolean => {
  if (protocol !== 'icmp' || 'prefix' in from) return true;
  return isV6 ? host.family === 6 : ports === 'all' || host.family === 4;
};

function mayCall(line: Meant, catalog: Catalog, host: Prefix, protocol: Protocol, port: number): boolean {
  const text = formatAddress(host.family, host.address);
  const isFrom =
    'prefix' in line.from ? contains(line.from.prefix, host) : hostsOf(line, catalog).includes(text);
  const isPort = line.ports === 'all' || line.ports.some(({ first, last }) => first <= port && port <= last);
  return isFrom && isPort && line.protocol === protocol && isOfFamily(line, host);
}

const compiled = (lines: readonly string[], catalog: Catalog) =>
  compile(['web'], parseAcl(new Map([['web', lines.join('\n')]]), new Map(), 'ingress'), catalog, []);

describe('an ingress key', () => {
  test('allows what a naive matcher does', () => {
    fc.assert(
      fc.property(fc.array(meant, { maxLength: 12 }), catalogs, fc.array(points), (lines, catalog, calls) => {
        const { ruleSet, problems } = compiled(lines.map(textOf), catalog);
        expect(problems.filter(({ reason }) => reason.startsWith('expected'))).toEqual([]);
        for (const { host, protocol, port } of calls)
          expect(allows(ruleSet, host, protocol, port)).toBe(
            lines.some((line) => mayCall(line, catalog, host, protocol, port)),
          );
      }),
      { numRuns: 300 },
    );
  });

  test('takes instances without a port: it names its own', () => {
    const catalog = new Map([['cron', [{ address: '10.0.0.7', port: 0, tags: [], node: 'n1' }]]]);
    const { ruleSet, problems } = compiled(['cron:tcp/8080'], catalog);
    expect(problems).toEqual([]);
    expect(ruleSet.layers.flat()).toHaveLength(1);
  });

  test('reports an instance without an address, and lets nobody in for it', () => {
    const catalog = new Map([['cron', [{ address: 'cron.internal', port: 0, tags: [], node: 'n1' }]]]);
    const { ruleSet, problems } = compiled(['cron:tcp/8080'], catalog);
    expect(ruleSet.layers).toEqual([]);
    expect(problems.map(({ reason }) => reason)).toEqual([
      'the instance on node n1 is registered with "cron.internal", which is not an IP address',
    ]);
  });
});
