/**
 * Finds out whether a program listens at a unix socket, and removes one that a crash has left behind.
 */
import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';

/** True if something accepts connections at the unix socket `path`. */
export function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true));
    socket.once('error', end(false));
  });
}

/** A file that is no socket stays. */
export async function removeLeftSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() && !(await isListening(path))) await rm(path, { force: true });
}
