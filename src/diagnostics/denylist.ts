/**
 * Explains why a destination is open or closed by the template `denylist`, in the order in which its text decides:
 * keys that are not granted, then granted keys, then NTP and DNS.
 */

import type { DnsPolicy } from '../inventory/workload.ts';
import { contains, type Prefix, prefixOf } from '../net/address.ts';
import type { Acl } from '../policy/acl.ts';
import { type Catalog, matchesFor, type RuleMatch } from '../policy/compile.ts';
import type { Destination } from './destination.ts';
import { ReasonIndex } from './reason-index.ts';

/** Finds the lines of keys that are not granted and name a destination. They also close protected addresses. */
export function denylistLookup(
  grants: readonly string[],
  acl: Acl,
  catalog: Catalog,
): (destination: Destination) => readonly RuleMatch[] {
  const others = [...acl.values()].filter(({ key }) => !grants.includes(key));
  const index = new ReasonIndex(matchesFor(others, catalog, []).reasons, []);
  return (destination) => index.find(destination).allowing;
}

/** True for NTP and foreign DNS servers, which are closed unless a granted key names them. */
export function isReserved({ host, protocol, port }: Destination, dns: DnsPolicy): boolean {
  if (protocol !== 'udp') return false;
  if (port === 123) return true;
  return port === 53 && (dns === 'none' || !NAME_SERVERS.some((prefix) => contains(prefix, host)));
}

/** The DNS servers that egresstrator 0.2 allowed; it did not support IPv6. */
const NAME_SERVERS: readonly Prefix[] = [
  prefixOf(4, 0x0a000000n, 8),
  prefixOf(4, 0xac100000n, 16),
  prefixOf(4, 0xc0a80000n, 16),
  prefixOf(4, 0x08080808n, 32),
  prefixOf(4, 0x04040404n, 32),
  prefixOf(6, 0xfcn << 120n, 7),
  prefixOf(6, 0xfe80n << 112n, 10),
];
