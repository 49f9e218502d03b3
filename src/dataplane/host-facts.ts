/**
 * Reads devices and routes of the Engine's host, by `dataplane/host`, from the kernel's own tables.
 */

import type { HostFacts, HostRoute } from '../inventory/host-facts.ts';
import { type Family, type Prefix, prefixOf } from '../net/address.ts';
import { HOST_REF } from './dataplane.ts';
import type { HostRunner } from './host.ts';
import { failed } from './load-errors.ts';

/** Every method fails with a `LoadError`. */
export interface HostFactsAccess {
  read(): Promise<HostFacts>;
  /** Lets the host forward IPv4. */
  forward(): Promise<void>;
}

export const createHostFacts = (runner: Pick<HostRunner, 'run'>): HostFactsAccess => ({
  read: async () => {
    const { stdout } = await runner.run({ name: 'facts' });
    const facts = parseFacts(stdout);
    if (facts.devices.size > 0) return facts;
    throw failed({ command: { name: 'facts' }, name: HOST_REF.name }, 'it named no device');
  },
  forward: async () => void (await runner.run({ name: 'forward' })),
});

export function parseFacts(text: string): HostFacts {
  const lines = text.split('\n').map((line) => line.split(/\s+/));
  const of = (word: string) => lines.filter(([first]) => first === word).map(([, ...rest]) => rest);
  return {
    devices: new Set(of('device').flatMap(([name]) => name ?? [])),
    routes: [...of('route4').flatMap(routeOf4), ...of('route6').flatMap(routeOf6)],
    forwards: of('forward').flatMap(([name]) => familyOf(name)),
  };
}

const familyOf = (name: string | undefined): readonly Family[] =>
  name === 'ipv4' ? [4] : name === 'ipv6' ? [6] : [];

const UP = 0x1;
const LOCAL = 0x8000_0000;

/** `eth0 00B7A8C0 00000000 0001 0 0 0 00FFFFFF …`: numbers in the order of bytes of this machine's processor. */
function routeOf4([device, address, , flags, , , , mask]: readonly string[]): readonly HostRoute[] {
  if (device === undefined || device === '*' || address === undefined || mask === undefined) return [];
  const length = [...swapped(mask).toString(2)].filter((bit) => bit === '1').length;
  return routeTo(device, prefixOf(4, swapped(address), length), Number.parseInt(flags ?? '0', 16));
}

/** Of a machine that stores the lowest byte first. */
const swapped = (hex: string): bigint => BigInt(`0x${(hex.match(/../g) ?? ['0']).reverse().join('')}`);

/** `fd00… 40 0000… 00 0000… 00000100 00000001 00000000 00000001 eth0` */
function routeOf6([address, length, , , , , , , flags, device]: readonly string[]): readonly HostRoute[] {
  if (address === undefined || length === undefined || device === undefined) return [];
  const prefix = prefixOf(6, BigInt(`0x${address}`), Number.parseInt(length, 16));
  return routeTo(device, prefix, Number.parseInt(flags ?? '0', 16));
}

/** Addresses of this host itself, of links and of groups are no networks of others. */
function routeTo(device: string, prefix: Prefix, flags: number): readonly HostRoute[] {
  const isOthers = (flags & UP) !== 0 && flags < LOCAL && device !== 'lo' && prefix.length > 0;
  return isOthers && !isLinkOrGroup(prefix) ? [{ prefix, device }] : [];
}

const isLinkOrGroup = ({ family, address }: Prefix): boolean =>
  family === 6 && (address >> 118n === 0x3fan || address >> 120n === 0xffn);
