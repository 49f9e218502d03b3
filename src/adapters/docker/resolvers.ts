/**
 * The addresses that a container's name resolution sends packets to, from inside its namespace.
 */
import type { ContainerId } from '../../domain/container.ts';
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { ownNameServers } from './inspect.ts';
import { parseResolvConf, reachable } from './resolv-conf.ts';

export type ResolverReader = (id: ContainerId) => Promise<readonly string[]>;

/** `enginesOwn`: whom the Engine asks for containers that name no server of their own. */
export function resolverReader(engine: Engine, enginesOwn: () => Promise<readonly string[]>): ResolverReader {
  return async (id) => {
    const text = await readFileOf(engine, id, '/etc/resolv.conf');
    const { nameServers, forwardedTo, asksDocker } = parseResolvConf(text ?? '');
    const behindDocker = asksDocker ? (forwardedTo ?? (await untold(engine, id, enginesOwn))) : [];
    return [...new Set([...nameServers, ...behindDocker])];
  };
}

/** Engines before 26 do not tell: it is the container's `--dns`, else the Engine's own. */
async function untold(
  engine: Engine,
  id: ContainerId,
  enginesOwn: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const named = ownNameServers(await engine.inspect(id));
  return named.length > 0 ? reachable(named) : enginesOwn();
}
