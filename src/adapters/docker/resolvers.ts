/**
 * The addresses that a container's name resolution sends packets to, from inside its namespace.
 *
 * Its /etc/resolv.conf tells, but root inside may write to that file: whoever could name a resolver there
 * could send anything anywhere on port 53. So of what it says only that counts which the Engine itself
 * put there: the container's `--dns`, else the Engine's own resolvers.
 */
import { constants, open } from 'node:fs/promises';
import type { ContainerId } from '../../domain/container.ts';
import { readFileOf } from './archive.ts';
import type { Engine } from './engine.ts';
import { nameServing } from './inspect.ts';
import { parseResolvConf, reachable } from './resolv-conf.ts';

/** The Engine's own resolvers; see `default-resolvers.ts`. */
export type DefaultResolvers = (image: string) => Promise<readonly string[]>;

const mostBytes = 64 * 1024;

/**
 * The Engine's own file, where it can be seen from here: the Engine itself takes 45 ms to send it, and half of a
 * container's start went by with that. Undefined where it can not, or is none that an Engine would write.
 */
async function readHere(path: string): Promise<string | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    const isWhole = bytesRead > 0 && bytesRead < mostBytes;
    return isWhole ? buffer.toString('utf8', 0, bytesRead) : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}

export async function resolversOf(
  engine: Engine,
  id: ContainerId,
  defaults: DefaultResolvers,
): Promise<readonly string[]> {
  const { dns, image, resolvConf } = nameServing(await engine.inspect(id));
  const seen = resolvConf === undefined ? undefined : await readHere(resolvConf);
  const text = seen ?? (await readFileOf(engine, id, '/etc/resolv.conf'));
  const { nameServers, forwardedTo, asksDocker } = parseResolvConf(text ?? '');
  if (nameServers.length === 0 && !asksDocker) return [];
  const given = dns.length > 0 ? reachable(dns) : await defaults(image);
  // Engines before 26 do not tell to whom they forward: to all that they were given.
  const asked = new Set([...nameServers, ...(asksDocker ? (forwardedTo ?? given) : [])]);
  return given.filter((address) => asked.has(address));
}
