/** Runs commands that query a controller in this process, and returns their output. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createActions } from '../../src/cli/lazy-commands.ts';
import { createProgram } from '../../src/cli/program.ts';
import { UserError } from '../../src/common/errors.ts';
import { type Controls, serveApi } from '../../src/daemon/api/server.ts';
import { diagnosticsOf } from './snapshot.ts';

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  /** What the command threw. */
  readonly error: unknown;
}

/** The controls of an empty controller, overridden by `given`. */
export const controlsOf = (given: Partial<Controls>): Controls => ({
  status: () => ({ namespaces: [], sources: [], recordsDenied: true, unsupported: [] }),
  ready: () => true,
  unreadable: () => [],
  networksErrors: () => 0,
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  override: async () => ({ results: [] }),
  setPort: async ({ container, protocol, port }) => ({
    ...{ container, protocol, port, state: 'loaded', openings: [] },
  }),
  sources: () => ({
    consul: '127.0.0.1:8500',
    kvPath: 'egress/acl/',
    ingressPath: 'ingress/acl/',
    docker: '/var/run/docker.sock',
  }),
  namespace: (container) => {
    throw new UserError(`no container "${container}"`);
  },
  diagnostics: diagnosticsOf(() => ({})),
  ...given,
});

export async function askController(controls: Controls, ...args: readonly string[]): Promise<Printed> {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-ask-'));
  const api = await serveApi(join(folder, 'api.sock'), controls);
  const printed = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') =>
    new Writable({
      write: (chunk, _encoding, done) => {
        printed[name] += String(chunk);
        done();
      },
    });
  const actions = createActions({ stdout: stream('stdout'), stderr: stream('stderr'), environment: {} });
  const words = [...args, '--socket', join(folder, 'api.sock')];
  try {
    await createProgram('0', actions).exitOverride().parseAsync(words, { from: 'user' });
    return { ...printed, error: undefined };
  } catch (error) {
    return { ...printed, error };
  } finally {
    await api.close();
    rmSync(folder, { recursive: true });
  }
}
