/**
 * Finds out whether a program listens at a unix socket, and removes one that a crash has left behind.
 */
import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { UserError } from '../common/errors.ts';

/** True if something accepts connections at the unix socket `path`. */
export const isListening = async (path: string): Promise<boolean> =>
  (await connectionError(path)) === undefined;

/** Why nothing can connect to it; undefined: a connection was accepted. */
export function connectionError(path: string): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (error?: Error) => {
      socket.destroy();
      resolve(error);
    };
    socket.once('connect', () => end());
    socket.once('error', end);
  });
}

/** Throws if something else is there, which stays: the path is wrong. */
export async function removeLeftSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new UserError('it is there already, and is no socket');
  if (!(await isListening(path))) await rm(path, { force: true });
}
