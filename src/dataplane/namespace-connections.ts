/**
 * Connections in namespaces of containers that ports of theirs have led elsewhere, by `dataplane/host`.
 */
import type { NamespaceRef } from './dataplane.ts';
import type { NamespaceRunner } from './runner.ts';

/** Every method fails with a `LoadError`. */
export interface NamespaceConnections {
  /** Of the loaded table, as `tcp 80 172.18.0.2 8080`. */
  loadedForwards(namespace: NamespaceRef): Promise<readonly string[]>;
  /** As `OtherFirewalls.endConnections`. */
  endConnections(namespace: NamespaceRef, forwards: readonly string[]): Promise<void>;
}

const OWNER = 'nat';

export const createNamespaceConnections = (runner: Pick<NamespaceRunner, 'run'>): NamespaceConnections => ({
  loadedForwards: async (namespace) => {
    const { stdout } = await runner.run(namespace, { name: 'forwards', owner: OWNER });
    return stdout.split('\n').filter((line) => line !== '');
  },
  endConnections: async (namespace, forwards) => {
    await runner.run(namespace, { name: 'forget', owner: OWNER }, `${forwards.join('\n')}\n`);
  },
});
