/**
 * Reads all sources and makes one inventory for each sync.
 */
import { ALL_FRESH } from '../inventory/ages.ts';
import type { Container, ContainerId } from '../inventory/container.ts';
import type { ConsulSnapshot, Inventory } from '../inventory/inventory.ts';
import { namespacesOf } from '../inventory/namespace.ts';
import type { Networks } from '../inventory/network.ts';
import type { ServiceRef } from '../inventory/service.ts';
import type { ContainerSource, RuleSource, WatchedEngine } from '../inventory/sources.ts';
import { AgeLimit, type MaxAge } from './age-limit.ts';
import { ConsulCache, type LastKnownState } from './consul-cache.ts';
import type { EngineFirewall } from './engine-firewall.ts';
import { type SourceStatus, sourceStatus } from './status.ts';

export interface SourceOptions {
  /** Milliseconds for the first answer of a source. */
  readonly grace: number;
  /** Undefined: no limit. */
  readonly maxAge?: MaxAge | undefined;
  /** The node of Consul's whose services are watched; undefined: none is. */
  readonly servicesOf?: string | undefined;
  readonly now: () => number;
}

export interface SourcePorts {
  readonly rules: RuleSource;
  readonly containers: ContainerSource;
  /** The last known state of the previous run. */
  readonly previousState: LastKnownState | undefined;
  /** Undefined: nobody asks whether the Engine makes rules itself. Closed with the reader. */
  readonly firewall?: EngineFirewall | undefined;
  /** Called for each inventory with the known state of Consul. */
  readonly persistState: (state: LastKnownState) => void;
}

/** What features need of Consul besides the rules. */
export interface References {
  readonly services: readonly ServiceRef[];
  /** The ingress keys. */
  readonly ingress: boolean;
}

export class InventoryReader {
  readonly #options: SourceOptions;
  readonly #ports: SourcePorts;
  readonly #onChange: () => void;
  readonly #consul: ConsulCache;
  readonly #ageLimit: AgeLimit | undefined;
  readonly #engine: WatchedEngine;
  /** The ages in the last inventory. */
  #ages = ALL_FRESH;
  #graceTimer: NodeJS.Timeout | undefined;

  /** `onChange` is called when a new inventory is needed. */
  constructor(options: SourceOptions, ports: SourcePorts, onChange: () => void) {
    const { maxAge, grace, now, servicesOf: node } = options;
    this.#options = options;
    this.#ports = ports;
    this.#onChange = onChange;
    this.#consul = new ConsulCache(ports.rules, ports.previousState, { now, node }, onChange);
    const freshness = () => this.#consul.freshness();
    this.#ageLimit = maxAge && new AgeLimit({ maxAge, grace, now, freshness, onChange });
    this.#engine = ports.containers.watch(onChange);
  }

  /** The running containers; undefined until they are listed. */
  get containers(): ReadonlyMap<ContainerId, Container> | undefined {
    return this.#engine.value;
  }

  /** The Engine's networks; undefined until they are listed. */
  get networks(): Networks | undefined {
    return this.#engine.networks.value;
  }

  /** Those that the Engine cannot inspect: their names, as far as known, or the beginnings of their ids. */
  get unreadable(): readonly string[] {
    const { unreadable, value } = this.#engine;
    return [...unreadable].map((id) => value?.get(id)?.name ?? id.slice(0, 12)).sort();
  }

  /** The present data of Consul. */
  get consul(): Pick<ConsulSnapshot, 'rules' | 'ingress' | 'services'> {
    return { rules: this.#consul.rules(), ingress: this.#consul.ingress(), services: this.#consul.catalog() };
  }

  /** `references` returns what features need of Consul. Undefined until the containers are listed. */
  read(references: (inventory: Inventory) => References): Inventory | undefined {
    const { value: containers, confirmedAt, networks } = this.#engine;
    if (containers === undefined) return undefined;
    const isComplete = confirmedAt !== undefined;
    const seen = { containers, isComplete, namespaces: namespacesOf(containers), networks: networks.value };
    const { services, ingress } = references({ ...seen, consul: this.#consulSnapshot() });
    if (ingress) this.#consul.followIngress();
    this.#consul.follow(services);
    this.#persist();
    const consul = this.#consulSnapshot();
    const { ages, awaited } = consul;
    this.#ages = ages;
    this.#updateFirewall();
    if (awaited.rules || awaited.ingress === true || awaited.services.size > 0) this.#changeAfterGrace();
    const { firewall } = this.#ports;
    return { ...seen, consul, engine: firewall && { managesFirewall: firewall.manages } };
  }

  /**
   * True once the rules and the containers have been read, and neither a service nor the ingress keys are awaited. A service that fails does not
   * count: a workload's key may name any service, and its rules are loaded without it.
   */
  get isReady(): boolean {
    const hasRules = this.#consul.freshness().some(({ name, known }) => name === 'rules' && known);
    const { services, ingress = false } = this.#consul.awaited(this.#options.grace);
    return hasRules && this.#engine.value !== undefined && services.size === 0 && !ingress;
  }

  status(): readonly SourceStatus[] {
    const { value, confirmedAt, error } = this.#engine;
    const engine = { name: 'containers', known: value !== undefined, confirmedAt, error: error?.message };
    return [...this.#consul.freshness().map((one) => sourceStatus(one, this.#ages)), engine];
  }

  /** Of the sources that only the host's rules depend on. */
  hostStatus(): readonly SourceStatus[] {
    const { value, confirmedAt, error } = this.#engine.networks;
    const networks = { name: 'networks', known: value !== undefined, confirmedAt, error: error?.message };
    const services = this.#consul.nodeServicesFreshness();
    return [
      networks,
      ...(services === undefined ? [] : [sourceStatus(services, ALL_FRESH)]),
      ...this.#engineRules(),
    ];
  }

  close(): void {
    clearTimeout(this.#graceTimer);
    this.#ports.firewall?.close();
    this.#ageLimit?.close();
    this.#persist();
    this.#consul.close();
    this.#engine.close();
  }

  /** Read once for each connection, so that an age would tell nothing: only a failure is reported. */
  #engineRules(): readonly SourceStatus[] {
    const { error, manages } = this.#ports.firewall ?? {};
    if (error === undefined) return [];
    return [{ name: "the Engine's rules", known: manages !== undefined, confirmedAt: undefined, error }];
  }

  #updateFirewall(): void {
    const { value: containers, networks, error } = this.#engine;
    if (containers === undefined) return;
    const isConnected = error === undefined;
    this.#ports.firewall?.update({ containers, networks: networks.value, isConnected });
  }

  /** Only for an inventory: `AgeLimit` calls back only if an age changes after this. */
  #consulSnapshot(): ConsulSnapshot {
    const ages = this.#ageLimit?.ages() ?? ALL_FRESH;
    const awaited = this.#consul.awaited(this.#options.grace);
    return { ...this.consul, nodeServices: this.#consul.nodeServices(), ages, awaited };
  }

  /** Failing and silent sources do not call back. */
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
