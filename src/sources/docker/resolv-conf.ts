/**
 * Name servers in the text of a container's /etc/resolv.conf.
 *
 * On a network of the user's own, a container asks Docker's resolver at 127.0.0.11, which forwards. Since
 * version 26 the Engine tells in a comment to whom, and from where: `host(address)` is asked from the
 * host's namespace, a bare address from inside the container's. Older Engines (20.10 was tried) write
 * nothing, which is a case of its own here: `undefined` is "not told", not "none".
 */
import { isIP } from 'node:net';

export interface ResolvConf {
  /** The `nameserver` lines, as written, without loopback addresses: what stays inside is always allowed. */
  readonly nameServers: readonly string[];
  /** To whom Docker's own resolver forwards from inside the namespace; `undefined` where it does not say. */
  readonly forwardedTo: readonly string[] | undefined;
  /** Whether Docker's own resolver is asked at all. */
  readonly asksDocker: boolean;
}

/** The address of Docker's own resolver, in the container's namespace. */
const dockersResolver = '127.0.0.11';

export function parseResolvConf(text: string): ResolvConf {
  const lines = text.split(/\r?\n/);
  const servers = lines.flatMap((line) => /^[ \t]*nameserver[ \t]+([^ \t]+)/.exec(line)?.[1] ?? []);
  const comments = lines.flatMap((line) => /^[ \t]*[#;][ \t]*ExtServers:(.*)$/.exec(line)?.[1] ?? []);
  return {
    nameServers: externalAddresses(servers),
    forwardedTo: comments.length === 0 ? undefined : externalAddresses(comments.flatMap(outsideHost)),
    asksDocker: servers.includes(dockersResolver),
  };
}

/** The addresses of a comment's list, in brackets or not, without those asked from the host. */
function outsideHost(list: string): readonly string[] {
  return list
    .replace(/host\([^)]*\)/g, ' ')
    .split(/[\s,[\]]+/)
    .filter((word) => word !== '');
}

/** Addresses that packets leave the namespace for; each once. */
export function externalAddresses(words: readonly string[]): readonly string[] {
  const addresses = words.map(withoutScope).filter((word) => isIP(word) !== 0 && !isLoopback(word));
  return [...new Set(addresses)];
}

/** `fe80::1%eth0` names the interface too, which a destination address does not. */
const withoutScope = (word: string): string => word.replace(/%.*$/, '');

const isLoopback = (address: string): boolean =>
  address.startsWith('127.') || address === '::1' || /^::ffff:127\./i.test(address);
