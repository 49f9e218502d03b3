/**
 * Whether the Engine listens in the network namespace of this process. The kernel lists only sockets that were made in the
 * namespace of whoever reads, so a socket in the file system that another namespace shares is not among them.
 */
import { readFile, realpath } from 'node:fs/promises';

/** `address`: the Engine's, as `unix:///var/run/docker.sock`. Never throws. */
export async function listensHere(address: string): Promise<boolean> {
  const [, path] = /^unix:\/\/(.+)$/.exec(address) ?? [];
  const wanted = path === undefined ? undefined : await resolved(path);
  if (wanted === undefined) return false;
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => '');
  const listening = await Promise.all(listeningPaths(table).map(resolved));
  return listening.includes(wanted);
}

const resolved = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);

/** The flag of a socket that listens. Both ends of a connection have its path too, and are of the other's namespace. */
const LISTENS = 0x10000;

const listeningPaths = (table: string): readonly string[] =>
  table.split('\n').flatMap((line) => {
    const [, flags = '', path] = /^\S+ \S+ \S+ ([0-9A-F]+) \S+ \S+ +\d+ (\/.+)$/.exec(line) ?? [];
    return path !== undefined && (Number.parseInt(flags, 16) & LISTENS) !== 0 ? [path] : [];
  });
