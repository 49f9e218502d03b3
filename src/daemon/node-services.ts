/**
 * The services that are registered for this host, and those of the previous run until Consul answers.
 */
import type { NodeService } from '../inventory/service.ts';
import type { RuleSource, Watched } from '../inventory/sources.ts';
import { type Freshness, freshnessOf } from './freshness.ts';

export interface NodeServices {
  readonly node: string;
  readonly services: readonly NodeService[];
}

export class NodeServicesCache {
  readonly #node: string;
  readonly #since: number;
  readonly #watched: Watched<readonly NodeService[]>;
  /** Of the previous run, if it watched the same node. */
  readonly #previous: NodeServices | undefined;

  constructor(source: RuleSource, node: string, { previous, since, onChange }: NodeServicesOptions) {
    this.#node = node;
    this.#since = since;
    this.#previous = previous?.node === node ? previous : undefined;
    this.#watched = source.watchNodeServices(node, onChange);
  }

  /** Undefined until they are known. */
  get value(): readonly NodeService[] | undefined {
    return this.#watched.value ?? this.#previous?.services;
  }

  /** For the disk. */
  state(): NodeServices | undefined {
    const services = this.value;
    return services && { node: this.#node, services };
  }

  freshness(): Freshness {
    const watched = this.#watched;
    return { name: 'node services', ...freshnessOf(watched, watched.confirmedAt), since: this.#since };
  }

  close(): void {
    this.#watched.close();
  }
}

interface NodeServicesOptions {
  readonly previous: NodeServices | undefined;
  readonly since: number;
  readonly onChange: () => void;
}
