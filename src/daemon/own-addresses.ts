/**
 * The addresses of this host that no name may lead to: those of this process's network, and those of the host's, as a
 * controller in a container has a network of its own. Loopback and link-local ones are left out: no name may lead to
 * such an address anywhere, and they come and go with the interfaces of containers.
 */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { type Prefix, parseAddress } from '../net/address.ts';
import { hostOf, neverByName } from '../net/special-addresses.ts';

type Read = (path: string) => string;

/** `read`: a file of /proc. */
export const ownAddresses = (read: Read = (path) => readFileSync(path, 'utf8')): readonly Prefix[] =>
  [...ofThisNetwork(), ...ofFirstProcess(read)].filter((address) => neverByName(address) === undefined);

const ofThisNetwork = (): readonly Prefix[] =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ address }) => parseAddress(address.replace(/%.*$/, '')) ?? []);

/** With the host's process ids, the first process is in the host's network. */
const ofFirstProcess = (read: Read): readonly Prefix[] => {
  const ipv4 = textOf('/proc/1/net/fib_trie', read).matchAll(/\|-- (\S+)\n *\/32 host LOCAL$/gm);
  const ipv6 = textOf('/proc/1/net/if_inet6', read).matchAll(/^[\da-f]{32}/gm);
  return [
    ...Array.from(ipv4, ([, address = '']) => parseAddress(address) ?? []).flat(),
    ...Array.from(ipv6, ([digits]) => hostOf(6, BigInt(`0x${digits}`))),
  ];
};

/** Empty where there is none: without IPv6, or if those of other processes are hidden. */
const textOf = (path: string, read: Read): string => {
  try {
    return read(path);
  } catch {
    return '';
  }
};
