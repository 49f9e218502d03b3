/**
 * Connections in namespaces of containers whose port led elsewhere: they end with their forward, in each namespace alone.
 */
import type { Logger } from '../common/logger.ts';
import type { Problem } from '../common/problem.ts';
import type { NamespaceConnections } from '../dataplane/namespace-connections.ts';
import type { NamespaceId, NetworkNamespace } from '../inventory/namespace.ts';
import type { RulesetLoader } from '../reconciler/ruleset-driver.ts';
import { ConnectionRecords } from './connection-records.ts';
import { OutdatedConnections } from './outdated-connections.ts';
import { refOf } from './ruleset-loader.ts';

interface Followed {
  /** As it was seen last: a container that was started again is another process. */
  namespace: NetworkNamespace;
  readonly connections: OutdatedConnections;
}

export class NatConnections {
  readonly #access: NamespaceConnections;
  readonly #log: Logger;
  readonly #records: ConnectionRecords;
  readonly #followed = new Map<NamespaceId, Followed>();

  constructor(access: NamespaceConnections, log: Logger, records = new ConnectionRecords()) {
    this.#access = access;
    this.#log = log;
    this.#records = records;
  }

  get problems(): readonly Problem[] {
    return [...this.#followed.values()].flatMap(({ connections }) => connections.problems);
  }

  /** A loader that notes what it replaces. */
  around(loader: RulesetLoader): RulesetLoader {
    return {
      inspect: (...how) => loader.inspect(...how),
      load: async (namespace, ruleset, replaces) => {
        await this.#of(namespace).beforeLoad(replaces);
        return loader.load(namespace, ruleset, replaces);
      },
      clear: async (namespace, owner) => {
        await this.#of(namespace).beforeLoad(true);
        return loader.clear(namespace, owner);
      },
    };
  }

  /** Call it when these are loaded there; none: when the rules were removed. */
  loaded(namespace: NetworkNamespace, forwards: ReadonlySet<string>): void {
    this.#of(namespace).loaded(forwards);
  }

  /** Call it with each plan. */
  retain(isPresent: (id: NamespaceId) => boolean): void {
    for (const id of this.#followed.keys()) if (!isPresent(id)) this.#followed.delete(id);
  }

  #of(namespace: NetworkNamespace): OutdatedConnections {
    const known = this.#followed.get(namespace.id);
    if (known !== undefined) {
      known.namespace = namespace;
      return known.connections;
    }
    const connections = new OutdatedConnections(
      {
        loadedForwards: () => this.#access.loadedForwards(refOf(followed.namespace)),
        endConnections: (lines) => this.#access.endConnections(refOf(followed.namespace), lines),
      },
      this.#log,
      this.#records.of(namespace.id),
    );
    const followed: Followed = { namespace, connections };
    this.#followed.set(namespace.id, followed);
    return connections;
  }
}
