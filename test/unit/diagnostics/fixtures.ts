/**
 * Small fixtures for tests: keys, services and destinations close enough together to meet.
 */
import fc from 'fast-check';
import type { Destination } from '../../../src/diagnostics/destination.ts';
import type { PolicyView } from '../../../src/diagnostics/policy-view.ts';
import type { Instance } from '../../../src/inventory/service.ts';
import { type Prefix, parseAddress } from '../../../src/net/address.ts';
import { parseAcl } from '../../../src/policy/acl.ts';
import type { Catalog } from '../../../src/policy/compile.ts';
import type { Protocol } from '../../../src/policy/traffic.ts';

export const hostOf = (text: string): Prefix => {
  const host = parseAddress(text);
  if (host === undefined) throw new Error(`${text} is no address`);
  return host;
};

export const to = (address: string, protocol: Protocol, port: number): Destination => ({
  host: hostOf(address),
  protocol,
  port,
});

export const instance = (address: string, port: number, ...tags: readonly string[]): Instance => ({
  address,
  port,
  tags,
  node: `node-${address}`,
});

export const aclOf = (keys: Readonly<Record<string, string>>) => parseAcl(new Map(Object.entries(keys)));

export const catalogOf = (services: Readonly<Record<string, readonly Instance[]>>): Catalog =>
  new Map(Object.entries(services));

export const METADATA = hostOf('169.254.169.254');

/** A container that asks for `grants`, where Consul holds `keys` and `services`. */
export const view = (
  grants: readonly string[],
  keys: Readonly<Record<string, string>>,
  traits: Partial<PolicyView> = {},
): PolicyView => ({
  grants,
  acl: aclOf(keys),
  catalog: new Map(),
  protectedHosts: [METADATA],
  mode: 'enforce',
  dns: 'none',
  resolvers: [],
  ...traits,
});

const host = fc.constantFrom(
  '169.254.169.254',
  '169.254.169.1',
  '10.0.0.1',
  '10.0.0.2',
  '10.0.1.1',
  '2001:db8::1',
);
const prefix = fc.oneof(
  host,
  fc.constantFrom('0.0.0.0/0', '169.254.0.0/16', '169.254.169.0/24', '10.0.0.0/8', '10.0.0.0/30', '[::]/0'),
);
const port = fc.integer({ min: 1, max: 12 });
const ports = fc
  .array(fc.tuple(port, port), { minLength: 1, maxLength: 3 })
  .map((pairs) => pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(','));
const traffic = fc.oneof(
  fc.tuple(fc.constantFrom('tcp', 'udp', 'icmp'), ports).map(([name, list]) => `${name}/${list}`),
  fc.constantFrom('tcp', 'icmp'),
);
const rule = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(prefix, traffic).map(([address, what]) => `${address}:${what}`) },
  fc.constantFrom('pg', 'production.pg', 'dns:udp', 'nothing', 'not a rule'),
);
const text = fc.array(rule, { maxLength: 6 }).map((lines) => lines.join('\n'));

const tags = fc.subarray(['production', 'staging']);
const instances = fc.array(
  fc.tuple(host, port, tags).map(([address, number, all]) => instance(address, number, ...all)),
  { maxLength: 4 },
);

export const arbitraryKeys = fc.record({ a: text, b: text, c: text });
export const arbitraryText = text;
export const arbitraryCatalog = fc.record({ pg: instances, dns: instances }).map(catalogOf);
export const arbitraryGrants = fc.subarray(['a', 'b', 'unknown']);
export const arbitraryDestination: fc.Arbitrary<Destination> = fc
  .tuple(host, fc.constantFrom('tcp', 'udp', 'icmp'), port)
  .map(([address, protocol, number]) => to(address, protocol, number));

/** Keys, a catalog, grants, and destinations to ask about. */
export const arbitraryPolicy = [
  arbitraryKeys,
  arbitraryCatalog,
  arbitraryGrants,
  fc.array(arbitraryDestination),
] as const;
