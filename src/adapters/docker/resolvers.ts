/**
 * The addresses that a container's name resolution sends packets to, from inside its namespace.
 *
 * Its /etc/resolv.conf tells, but root inside may write to that file: whoever could name a resolver there
 * could send anything anywhere on port 53. So of what it says only that counts which the Engine itself
 * put there: the container's `--dns`, else the Engine's own resolvers.
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
  if (nameServers.length === 0 && !asksDocker) return [];
  const { dns, image } = nameServing(await engine.inspect(id));
  const given = dns.length > 0 ? reachable(dns) : await defaults(image);
  // Engines before 26 do not tell to whom they forward: to all that they were given.
  const asked = new Set([...nameServers, ...(asksDocker ? (forwardedTo ?? given) : [])]);
  return given.filter((address) => asked.has(address));
}
