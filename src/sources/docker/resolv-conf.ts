/**
 * Parses the name servers in a container's /etc/resolv.conf.
 *
 * On a user-defined network a container uses Docker's resolver at 127.0.0.11, which forwards queries. Since version 26
 * the Engine writes the servers into a comment: `host(address)` is queried from the host's namespace, a bare address
 * from the container's. Older Engines (20.10 was tried) write no comment; then the field is undefined, which does not
 * mean "none".
 */
import { isIP } from 'node:net';

export interface ResolvConf {
  /** The addresses of the `nameserver` lines, without loopback, which is always allowed. */
  readonly nameServers: readonly string[];
  /**
   * The servers that Docker's resolver queries from inside the namespace; undefined if the file does not say.
   */
  readonly forwardedTo: readonly string[] | undefined;
  /** True if the container uses Docker's resolver. */
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

/** The addresses in a comment's list, without those that are queried from the host. */
function outsideHost(list: string): readonly string[] {
  return list
    .replace(/host\([^)]*\)/g, ' ')
    .split(/[\s,[\]]+/)
    .filter((word) => word !== '');
}

/** The addresses without loopback, each once. */
export function externalAddresses(words: readonly string[]): readonly string[] {
  const addresses = words.map(withoutScope).filter((word) => isIP(word) !== 0 && !isLoopback(word));
  return [...new Set(addresses)];
}

/** Removes the interface from `fe80::1%eth0`: a destination address does not have it. */
const withoutScope = (word: string): string => word.replace(/%.*$/, '');

const isLoopback = (address: string): boolean =>
  address.startsWith('127.') || address === '::1' || /^::ffff:127\./i.test(address);
