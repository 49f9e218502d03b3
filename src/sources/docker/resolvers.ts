/**
 * The addresses that a container's DNS uses, from inside its namespace.
 *
 * The Engine's resolv.conf for it lists them, but root in the container can change that file, and could then send
 * to any address on port 53. So only servers that the Engine itself wrote count: the container's `--dns`, or the
 * Engine's own resolvers.
 */
import { constants, open } from 'node:fs/promises';
import { parseResolvConf } from './resolv-conf.ts';

/** Those of the resolvers that the Engine gave which the file asks. */
export function resolversFrom(text: string, given: readonly string[]): readonly string[] {
  const { nameServers, forwardedTo, asksDocker } = parseResolvConf(text);
  // Engines before 26 do not tell to whom they forward: to all that they were given.
  const asked = new Set([...nameServers, ...(asksDocker ? (forwardedTo ?? given) : [])]);
  return given.filter((address) => asked.has(address));
}

const mostBytes = 64 * 1024;

/**
 * Root inside may have taken a lease on the file: an open that waits would then wait for 45 s, in one of the
 * four threads in which all files are opened.
 */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * The Engine's own file, where it can be seen from here and read at once. Undefined where it cannot, or is
 * none that an Engine would write.
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
