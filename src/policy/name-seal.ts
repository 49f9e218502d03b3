/**
 * How grants by name get into the kernel: as UDP datagrams of the proxy inside the namespace. The first rules of its text
 * know the secret that each of them begins with, put the address that is in it into a set, and drop it. So nothing leaves
 * the namespace, and the sender learns by the error EPERM that the kernel has the grant. If `send` succeeds, the kernel has
 * not taken it (the rules are not there, a set is full, a class is not in the text), and the secret was wiped if the rules
 * are there.
 *
 * All go by IPv4 to the proxy's own address and port there, whatever they grant: so it does not matter whether a route
 * leads to the address, and without rules they arrive at the proxy's own socket.
 *
 *     secret 16 | port class 2 | family 1 (4 or 6) | command 1 | address 4 or 16 bytes
 *
 * A rule has one fixed timeout, so there is a rule for each of a few, in each port class. What a grant needs is
 * rounded up; the proxy itself removes it when its time is over.
 */
import { type Family, type Prefix, WIDTH } from '../net/address.ts';

/** Where the proxy listens in a namespace, for questions and for these datagrams. */
export const PROXY_ADDRESSES: Readonly<Record<Family, string>> = { 4: '127.83.83.53', 6: '::1' };

/** A secret of the namespace, at the start of each datagram. */
export const SECRET_BYTES = 16;

/** Seconds, ascending: a common grace of 5 minutes, with lifetimes of 0, 60, 300 seconds and an hour; and a day. */
export const GRANT_TIMEOUTS: readonly number[] = [60, 300, 360, 600, 1_800, 4_200, 21_600, 86_400];

/** Port classes of a namespace: each takes a page of memory or more. */
export const MOST_CLASSES = 64;

/** While the proxy says at least so often that it is there, questions that meet nobody get no answer; then they are denied. */
export const ALIVE_SECONDS = 15;

const ALIVE = 0xffff;
const REMOVE = 0;

/** The shortest timeout that is long enough; the longest if none is. */
export const timeoutFor = (seconds: number): number => GRANT_TIMEOUTS[stepFor(seconds)] ?? 0;

const stepFor = (seconds: number): number => {
  const step = GRANT_TIMEOUTS.findIndex((timeout) => timeout >= seconds);
  return step < 0 ? GRANT_TIMEOUTS.length - 1 : step;
};

/** Grants the address in a class, for `timeoutFor(seconds)`. */
export const grantDatagram = (
  secret: Uint8Array,
  classNumber: number,
  address: Prefix,
  seconds: number,
): Uint8Array => datagram(secret, classNumber, address, 1 + stepFor(seconds));

/** Removes the address from a class. */
export const removeDatagram = (secret: Uint8Array, classNumber: number, address: Prefix): Uint8Array =>
  datagram(secret, classNumber, address, REMOVE);

/** Says that the proxy is there: to questions over UDP and TCP, and to the ICMP errors that say that it is not. */
export const aliveDatagram = (secret: Uint8Array): Uint8Array =>
  datagram(secret, ALIVE, { family: 4, address: PROTOCOLS, length: WIDTH[4] }, REMOVE);

/** The numbers of ICMP, TCP, UDP and ICMPv6, one in each byte. */
const PROTOCOLS = 0x01_06_11_3an;

const datagram = (
  secret: Uint8Array,
  classNumber: number,
  { family, address }: Prefix,
  command: number,
): Uint8Array => {
  const bytes = new Uint8Array(SECRET_BYTES + 4 + WIDTH[family] / 8);
  bytes.set(secret);
  bytes.set([classNumber >> 8, classNumber & 0xff, family, command], SECRET_BYTES);
  for (let at = bytes.length - 1, rest = address; at >= SECRET_BYTES + 4; at--, rest >>= 8n)
    bytes[at] = Number(rest & 0xffn);
  return bytes;
};

/** The same as a text for the kernel has it: what a datagram holds in place of a class, or as family and command. */
export interface SealRules {
  readonly alive: number;
  readonly remove: Readonly<Record<Family, number>>;
  readonly grants: Readonly<
    Record<Family, readonly { readonly command: number; readonly timeout: number }[]>
  >;
}

const grantsOf = (family: Family): SealRules['grants'][Family] =>
  GRANT_TIMEOUTS.map((timeout, step) => ({ command: (family << 8) | (1 + step), timeout }));

export const SEAL_RULES: SealRules = {
  alive: ALIVE,
  remove: { 4: (4 << 8) | REMOVE, 6: (6 << 8) | REMOVE },
  grants: { 4: grantsOf(4), 6: grantsOf(6) },
};
