/**
 * One at a time across processes: several test files, or a test and a demo, may ask for the same
 * engine or image at the same moment.
 *
 * A lock is a listening socket in the kernel's abstract namespace: there is one of a name, and it
 * goes with its process, however that ends, so no lock is ever left behind.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { labDir } from './paths.ts';
import { waitFor } from './wait.ts';

/** Runs `work` while holding the lock `name` of this lab; waits up to 10 minutes for it. */
export function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return holding(`${labDir()} ${name}`, work);
}

/** The same among all labs of this machine. */
export function withMachineLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  return holding(name, work);
}

async function holding<T>(name: string, work: () => Promise<T>): Promise<T> {
  const address = `\0egresstrator-lab/${createHash('sha256').update(name).digest('hex')}`;
  const server = await waitFor(() => take(address), { what: `the lock "${name}"`, timeout: 600_000 });
  try {
    return await work();
  } finally {
    server.close();
    await once(server, 'close');
  }
}

async function take(address: string): Promise<Server | undefined> {
  const server = createServer().unref();
  try {
    await once(server.listen(address), 'listening');
    return server;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
