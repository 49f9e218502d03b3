/**
 * The test's side of `probe.ts`: starts one in a network namespace and hands out its operations.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compiled } from './compile-cache.ts';
import type { Operations } from './probe.ts';

export interface Probe extends Operations {
  close(): Promise<void>;
}

const script = fileURLToPath(new URL('probe.ts', import.meta.url));

/** `place`: a process in that namespace, as this machine counts, or the name of the namespace in /run/netns. */
export function startProbe(place: number | string): Probe {
  const file = typeof place === 'number' ? `/proc/${place}/ns/net` : `/run/netns/${place}`;
  const child = spawn('nsenter', [`--net=${file}`, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...compiled },
  });
  const call = caller(child);
  return {
    serve: (...args) => call('serve', args),
    serveNames: (...args) => call('serveNames', args),
    reach: (...args) => call('reach', args),
    keep: (...args) => call('keep', args),
    flow: (...args) => call('flow', args),
    close: async () => {
      // It exits by itself, and so keeps what was compiled for the next one.
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

/** What `probe.ts` answers to one call. */
interface Reply {
  readonly id: number;
  readonly result?: never;
  readonly error?: string;
}

function caller(child: ChildProcess) {
  const waiting = new Map<number, (reply: Reply) => void>();
  child.on('message', (reply: Reply) => waiting.get(reply.id)?.(reply));
  child.on('exit', () => {
    for (const [id, end] of waiting) end({ id, error: 'the probe ended' });
  });
  let last = 0;
  // What comes back is what the operation's type says: both ends are compiled from it.
  return (name: keyof Operations, args: readonly unknown[]): Promise<never> => {
    const { promise, resolve, reject } = Promise.withResolvers<never>();
    const id = ++last;
    waiting.set(id, ({ result, error }) => {
      waiting.delete(id);
      if (error === undefined) resolve(result as never);
      else reject(new Error(error));
    });
    child.send({ id, name, args }, (error) => {
      if (error !== null) waiting.get(id)?.({ id, error: `the probe ended: ${error.message}` });
    });
    return promise;
  };
}
