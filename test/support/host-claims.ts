/** Claims on a host's ports, from a few words. */
import type { HostClaims } from '../../src/features/host/canonical.ts';
import type { Bridge, Forward, Opening, Permit } from '../../src/features/host/model.ts';
import type { Transport } from '../../src/inventory/network.ts';
import { type Prefix, parsePrefix } from '../../src/net/address.ts';

export const prefix = (text: string): Prefix => {
  const parsed = parsePrefix(text);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed.prefix;
};

export const NO_CLAIMS: HostClaims = {
  ...{ bridges: [], guard: undefined, openings: [], proxied: [], forwards: [], permits: [] },
};

export const bridge = (name: string, ...subnets: readonly string[]): Bridge => ({
  ...{ name, subnets: subnets.map(prefix), isGuarded: true, masqueraded: [] },
});

const origin = { text: 'a test', since: '2026-01-01T00:00:00Z' };

export const opening = (
  to: string,
  port: number,
  from: readonly string[] | 'anyone' = 'anyone',
  protocol: Transport = 'tcp',
): Opening => ({
  ...{ to: prefix(to), protocol, port, origin },
  from: from === 'anyone' ? from : from.map(prefix),
});

export const forward = (
  port: number,
  to: string,
  toPort: number,
  options: Partial<Pick<Forward, 'at' | 'protocol' | 'origin'>> = {},
): Forward => ({
  ...{ at: { kind: 'any' }, protocol: 'tcp', port, to: prefix(to), toPort, origin },
  ...options,
});

/** `from` may reach `to` at these ports, `80` or `80-90`. */
export const permit = (from: string, to: string, ports: string, protocol: Transport = 'tcp'): Permit => {
  const [first = 0, last = first] = ports.split('-').map(Number);
  return { from: prefix(from), to: prefix(to), protocol, range: { first, last }, origin };
};
