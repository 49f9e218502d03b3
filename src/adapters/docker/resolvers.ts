/**
 * The addresses that a container's name resolution sends packets to, from inside its namespace.
 */
import type { ContainerId } from '../../domain/container.ts';
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { nameServing } from './inspect.ts';
import { parseResolvConf, reachable } from './resolv-conf.ts';

/** The Engine's own resolvers; see `default-resolvers.ts`. */
export type DefaultResolvers = (image: string) => Promise<readonly string[]>;

export async function resolversOf(
  engine: Engine,
  id: ContainerId,
  defaults: DefaultResolvers,
): Promise<readonly string[]> {
  const text = await readFileOf(engine, id, '/etc/resolv.conf');
  const { nameServers, forwardedTo, asksDocker } = parseResolvConf(text ?? '');
  const behindDocker = asksDocker ? (forwardedTo ?? (await untold(engine, id, defaults))) : [];
  return [...new Set([...nameServers, ...behindDocker])];
}

/** Engines before 26 do not tell: it is the container's `--dns`, else the Engine's own. */
async function untold(
  engine: Engine,
  id: ContainerId,
  defaults: DefaultResolvers,
): Promise<readonly string[]> {
  const { dns, image } = nameServing(await engine.inspect(id));
  return dns.length > 0 ? reachable(dns) : defaults(image);
}
