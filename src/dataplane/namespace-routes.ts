/**
 * Routes of ours in namespaces of containers, and whether a namespace forwards, by `dataplane/netns`: as lines
 * `10.2.0.2 via 10.9.0.1` and `forward ipv4`.
 */
import type { NamespaceRef } from './dataplane.ts';
import { failed } from './load-errors.ts';
import type { Command, NamespaceRunner } from './runner.ts';

/** Every method fails with a `LoadError`. */
export interface NamespaceRoutes {
  read(namespace: NamespaceRef): Promise<readonly string[]>;
  /** Makes them, removes our other routes, and resolves with what is there then. */
  set(namespace: NamespaceRef, lines: readonly string[]): Promise<readonly string[]>;
}

export function createNamespaceRoutes(runner: Pick<NamespaceRunner, 'run'>): NamespaceRoutes {
  const run = async (namespace: NamespaceRef, command: Command, stdin?: string) => {
    const { stdout } = await runner.run(namespace, command, stdin);
    const lines = stdout.split('\n').filter((line) => line !== '');
    const strange = lines.find((line) => !LINE.test(line));
    if (strange === undefined) return lines;
    throw failed({ command, name: namespace.name }, `it printed "${strange.slice(0, 100)}"`);
  };
  return {
    read: (namespace) => run(namespace, { name: 'routes' }),
    set: (namespace, lines) => run(namespace, { name: 'reroute' }, `${lines.join('\n')}\n`),
  };
}

const LINE = /^([0-9a-f.:/]+ via [0-9a-f.:]+|forward ipv[46])$/;
