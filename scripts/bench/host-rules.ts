/**
 * The host's rules for benchmarks: forwards to, and openings of, 1,000 containers on the bridge `br-a`.
 */
import { canonicalHost, type HostClaims } from '../../src/features/host/canonical.ts';
import type { Bridge, Forward, Guard, Opening } from '../../src/features/host/model.ts';
import { loadHostTemplate, renderHost } from '../../src/features/host/render.ts';
import type { Transport } from '../../src/inventory/network.ts';
import { type Prefix, parsePrefix } from '../../src/net/address.ts';

export interface HostPort {
  /** A container's address, which has this port. The port of the host is the same. */
  readonly address: string;
  readonly protocol: Transport;
  readonly port: number;
}

/** `count` ports of containers that a benchmark does not use. The ports of the host are 10,000 and above. */
export const hostPorts = (count: number): readonly HostPort[] =>
  Array.from({ length: count }, (_, n) => ({
    address: `172.29.1.${100 + (n % 100)}`,
    ...{ protocol: 'tcp', port: 10_000 + n },
  }));

const GUARD: Guard = { mode: 'enforce', families: [4, 6], isBetween: true, guardsNewBridges: true };

const bridgeOf = (masquerades: boolean): Bridge => ({
  ...{ name: 'br-a', isGuarded: true },
  subnets: ['172.29.1.0/24', '2001:db8:a::/64'].map(prefix),
  masqueraded: masquerades ? [prefix('172.29.1.0/24')] : [],
});

export interface HostRules {
  readonly openings: readonly HostPort[] | 'all';
  readonly forwards: readonly HostPort[];
}

/** `openings`: "all" means that there is no guard. */
export const hostClaims = ({ openings, forwards }: HostRules): HostClaims => ({
  ...{
    bridges: [bridgeOf(forwards.length > 0)],
    proxied: [],
    permits: [],
    forwards: forwards.map(forwardOf),
  },
  ...(openings === 'all'
    ? { guard: undefined, openings: [] }
    : { guard: GUARD, openings: openings.map(openingOf) }),
});

const template = loadHostTemplate();

export const renderHostRules = (claims: HostClaims): string =>
  renderHost(template, canonicalHost(claims).rules).text;

const origin = { text: 'the benchmark', since: '2026-01-01T00:00:00Z' };

const openingOf = ({ address, protocol, port }: HostPort): Opening => ({
  ...{ to: prefix(address), protocol, port, from: 'anyone', origin },
});

const forwardOf = ({ address, protocol, port }: HostPort): Forward => ({
  ...{ at: { kind: 'any' }, protocol, port, to: prefix(address), toPort: port, origin },
});

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
}
