/**
 * The sources, and the one inventory that is made of all of them for each sync.
 */
import { ALL_FRESH } from '../inventory/ages.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { ConsulSnapshot, Inventory } from '../inventory/inventory.ts';
import { namespacesOf } from '../inventory/namespace.ts';
import type { ServiceRef } from '../inventory/service.ts';
import type { ContainerSource, RuleSource, WatchedEngine } from '../inventory/sources.ts';
import { AgeLimit, type MaxAge } from './age-limit.ts';
import { ConsulCache, type LastKnownState } from './consul-cache.ts';
import { type SourceStatus, sourceStatus } from './status.ts';

export interface SourceOptions {
  /** Milliseconds for which a source may take its first answer. */
  readonly grace: number;
  /** Undefined: what is known counts however old it is. */
  readonly maxAge?: MaxAge | undefined;
  readonly now: () => number;
}

export interface SourcePorts {
  readonly rules: RuleSource;
  readonly containers: ContainerSource;
  /** What a previous run of the controller knew. */
  readonly previousState: LastKnownState | undefined;
  /** Called for each inventory with what is known of Consul by now. */
  readonly persistState: (state: LastKnownState) => void;
}

export class InventoryReader {
  readonly #options: SourceOptions;
  readonly #ports: SourcePorts;
  readonly #onChange: () => void;
  readonly #consul: ConsulCache;
  readonly #ageLimit: AgeLimit | undefined;
  readonly #engine: WatchedEngine;
  /** By which the last inventory was made. */
  #ages = ALL_FRESH;
  #graceTimer: NodeJS.Timeout | undefined;

  /** `onChange`: another inventory is to be made. */
  constructor(options: SourceOptions, ports: SourcePorts, onChange: () => void) {
    const { maxAge, grace, now } = options;
    this.#options = options;
    this.#ports = ports;
    this.#onChange = onChange;
    this.#consul = new ConsulCache(ports.rules, ports.previousState, now, onChange);
    const freshness = () => this.#consul.freshness();
    this.#ageLimit = maxAge && new AgeLimit({ maxAge, grace, now, freshness, onChange });
    this.#engine = ports.containers.watch(onChange);
  }

  /** The running containers; undefined until the Engine has told them. */
  get containers(): ReadonlyMap<ContainerId, Container> | undefined {
    return this.#engine.value;
  }

  /** Those that the Engine cannot inspect: their names, as far as known, or the beginnings of their ids. */
  get unreadable(): readonly string[] {
    const { unreadable, value } = this.#engine;
    return [...unreadable].map((id) => value?.get(id)?.name ?? id.slice(0, 12)).sort();
  }

  /** What Consul tells now. */
  get consul(): Pick<ConsulSnapshot, 'rules' | 'services'> {
    return { rules: this.#consul.rules(), services: this.#consul.catalog() };
  }

  /** `references`: the services of which must be known. Undefined until the Engine has told its containers. */
  read(references: (inventory: Inventory) => readonly ServiceRef[]): Inventory | undefined {
    const { value: containers, confirmedAt, networks } = this.#engine;
    if (containers === undefined) return undefined;
    const isComplete = confirmedAt !== undefined;
    const seen = { containers, isComplete, namespaces: namespacesOf(containers), networks: networks.value };
    this.#consul.follow(references({ ...seen, consul: this.#consulSnapshot() }));
    this.#persist();
    const consul = this.#consulSnapshot();
    const { ages, awaited } = consul;
    this.#ages = ages;
    if (awaited.rules || awaited.services.size > 0) this.#changeAfterGrace();
    return { ...seen, consul };
  }

  /**
   * True once the rules and the containers were read, and no service is waited for. A service that fails or is
   * silent does not count: each workload may hold a key that names one, and its rules are loaded without it.
   */
  get isReady(): boolean {
    const hasRules = this.#consul.freshness().some(({ name, known }) => name === 'rules' && known);
    const isSettled = this.#consul.awaited(this.#options.grace).services.size === 0;
    return hasRules && this.#engine.value !== undefined && isSettled;
  }

  status(): readonly SourceStatus[] {
    const { value, confirmedAt, error } = this.#engine;
    const engine = { name: 'containers', known: value !== undefined, confirmedAt, error: error?.message };
    return [...this.#consul.freshness().map((one) => sourceStatus(one, this.#ages)), engine];
  }

  close(): void {
    clearTimeout(this.#graceTimer);
    this.#ageLimit?.close();
    this.#persist();
    this.#consul.close();
    this.#engine.close();
  }

  /** For an inventory alone: of ages that were told nobody hears again until they change. */
  #consulSnapshot(): ConsulSnapshot {
    const ages = this.#ageLimit?.ages() ?? ALL_FRESH;
    return { ...this.consul, ages, awaited: this.#consul.awaited(this.#options.grace) };
  }

  /** A source that fails does not call, and one that is silent never does. */
  #changeAfterGrace(): void {
    this.#graceTimer ??= setTimeout(() => {
      this.#graceTimer = undefined;
      this.#onChange();
    }, this.#options.grace);
  }

  #persist(): void {
    const state = this.#consul.state();
    if (state !== undefined) this.#ports.persistState(state);
  }
}
