/**
 * The addresses that a container's DNS uses, from inside its namespace.
 *
 * The Engine's resolv.conf for it lists them, but root in the container can change that file, and could then send to
 * any address on port 53. So only servers that the Engine configured count: the container's `--dns`, or the Engine's
 * own resolvers.
 */
import { constants, open } from 'node:fs/promises';
import { parseResolvConf } from './resolv-conf.ts';

/** The configured resolvers that the file also has. */
export function resolversFrom(text: string, given: readonly string[]): readonly string[] {
  const { nameServers, forwardedTo, asksDocker } = parseResolvConf(text);
  // Engines before 26 do not list the servers, so all configured ones count.
  const asked = new Set([...nameServers, ...(asksDocker ? (forwardedTo ?? given) : [])]);
  return given.filter((address) => asked.has(address));
}

const mostBytes = 64 * 1024;

/**
 * Root inside may hold a lease on the file. A blocking open would then wait 45 s, in one of the four threads that open
 * files.
 */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The Engine's own file, if it is visible from here and readable at once; undefined otherwise, or if an Engine would
 * not write such a file.
 */
export async function readHostFile(path: string): Promise<string | undefined> {
  const file = await open(path, flags).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    if (!(await file.stat()).isFile()) return undefined;
    const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    const isWhole = bytesRead > 0 && bytesRead < mostBytes;
    return isWhole ? buffer.toString('utf8', 0, bytesRead) : undefined;
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
