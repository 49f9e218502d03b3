/**
 * The test's side of `agent.ts`: starts an agent in a namespace and offers its operations as functions.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Namespace } from '../../lab/netns.ts';
import { compiled } from '../support/compile-cache.ts';
import type { Operations } from './agent.ts';

export interface Agent extends Operations, AsyncDisposable {}

export function startAgent(namespace: Namespace): Agent {
  const [command = '', ...prefix] = namespace.prefix;
  const script = fileURLToPath(new URL('agent.ts', import.meta.url));
  const child = spawn(command, [...prefix, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...compiled },
  });
  const call = caller(child);
  return {
    serve: (...args) => call('serve', args),
    open: (...args) => call('open', args),
    talk: (...args) => call('talk', args),
    close: () => call('close', []),
    busy: (...args) => call('busy', args),
    echoes: (...args) => call('echoes', args),
    speak: () => call('speak', []),
    ask: (...args) => call('ask', args),
    received: () => call('received', []),
    [Symbol.asyncDispose]: async () => {
      // It exits by itself, and so keeps what was compiled for the next one.
      if (child.connected) child.disconnect();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

function caller(child: ChildProcess) {
  const waiting = new Map<number, (result: string) => void>();
  let last = 0;
  child.on('message', ({ id, result }: { id: number; result: string }) => waiting.get(id)?.(result));
  return (name: keyof Operations, args: readonly unknown[]): Promise<string> =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      child.send({ id: last, name, args });
    });
}
