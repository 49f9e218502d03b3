/**
 * The DNS servers that are asked for names.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { CONSUL_PORT, DNS_PORT, type NamesConfig } from '../config/names-config.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** Milliseconds for which the resolvers of the host count as read. */
const FRESH = 5_000;
/** And for which an empty file does. */
const AGAIN = 500;
/** As the C library has it. */
const MOST_RESOLVERS = 3;

/**
 * The resolvers of the host, or those of `--names-upstream`. Questions leave from this process, so that a resolver on
 * the host's loopback can be asked as well.
 */
export function upstreamServers(
  { upstream }: Pick<NamesConfig, 'upstream'>,
  now: () => number,
  read: () => string = () => readFileSync('/etc/resolv.conf', 'utf8'),
): () => readonly Endpoint[] {
  if (upstream !== undefined) return () => upstream;
  let known: readonly Endpoint[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  let wasEmpty = false;
  return () => {
    if (now() - readAt < FRESH) return known;
    readAt = now();
    try {
      const found = resolversIn(read());
      const isEmpty = found.length === 0;
      // The file is empty for a moment while it is written: it counts as empty when it is so again, a second later.
      if (!isEmpty || wasEmpty) known = found;
      if (isEmpty && !wasEmpty) readAt = now() - FRESH + AGAIN;
      wasEmpty = isEmpty;
    } catch {
      // The file is missing for a moment while it is replaced.
    }
    return known;
  };
}

/** The name servers of a resolv.conf, on loopback too. */
export const resolversIn = (text: string): readonly Endpoint[] =>
  text
    .split(/\r?\n/)
    .flatMap((line) => /^[ \t]*nameserver[ \t]+([^ \t]+)/.exec(line)?.[1] ?? [])
    .filter((address) => isIP(address.replace(/%.*$/, '')) !== 0)
    .slice(0, MOST_RESOLVERS)
    .map((address) => ({ address, port: DNS_PORT }));

/** Consul's DNS server: where the agent is, unless `--names-consul` says. `host`: of the agent's HTTP API. */
export const consulServer = ({ consul }: Pick<NamesConfig, 'consul'>, host: string): Endpoint | undefined => {
  if (consul !== undefined) return consul;
  const address = host === 'localhost' ? '127.0.0.1' : host;
  return isIP(address) === 0 ? undefined : { address, port: CONSUL_PORT };
};
