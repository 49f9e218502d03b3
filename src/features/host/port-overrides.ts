/**
 * Ports that an operator opened or closed by hand. Each counts instead of what is registered, until the container stops.
 */
import type { Container, ContainerId } from '../../inventory/container.ts';
import { type NamespaceId, namespaceId } from '../../inventory/namespace.ts';
import type { Transport } from '../../inventory/network.ts';
import type { Prefix } from '../../net/address.ts';

/** A port of a container: 1 to 65,535. */
export interface ContainerPort {
  readonly protocol: Transport;
  readonly port: number;
}

export interface PortOverride extends ContainerPort {
  readonly kind: 'open' | 'close';
  /** Of a port that is open: who may call. */
  readonly from: readonly Prefix[] | 'anyone';
  /** In ms, by the controller's clock. */
  readonly since: number;
}

/** By container and start, as `namespaceId` writes it. */
export type PersistedPorts = ReadonlyMap<NamespaceId, readonly PortOverride[]>;

export interface PortOverridesOptions {
  /** Those of the previous run. */
  readonly previous: PersistedPorts | undefined;
  /** Called after a change, with all of them. */
  readonly keep: (ports: PersistedPorts) => void;
  readonly now: () => number;
}

export class PortOverrides {
  readonly #options: PortOverridesOptions;
  /** Replaced at each change, so that it can be compared by identity. */
  #byStart: PersistedPorts;

  constructor(options: PortOverridesOptions) {
    this.#options = options;
    this.#byStart = new Map(options.previous);
  }

  get all(): PersistedPorts {
    return this.#byStart;
  }

  /** `undefined` ends the override. */
  set(
    container: Container,
    port: ContainerPort,
    rule: Pick<PortOverride, 'kind' | 'from'> | undefined,
  ): void {
    const id = namespaceId(container);
    const others = overridesOf(container, this.#byStart).filter((one) => !isSamePort(one, port));
    const { protocol, port: number } = port;
    const added = rule === undefined ? [] : [{ ...rule, protocol, port: number, since: this.#options.now() }];
    const all = [...others, ...added];
    const rest = [...this.#byStart].filter(([key]) => key !== id);
    this.#replace(new Map(all.length === 0 ? rest : [...rest, [id, all]]));
  }

  /** Removes those of containers that have stopped. */
  retain(containers: ReadonlyMap<ContainerId, Container>): void {
    const running = new Set([...containers.values()].map(namespaceId));
    const kept = [...this.#byStart].filter(([id]) => running.has(id));
    if (kept.length < this.#byStart.size) this.#replace(new Map(kept));
  }

  #replace(ports: PersistedPorts): void {
    this.#byStart = ports;
    this.#options.keep(ports);
  }
}

export const overridesOf = (container: Container, ports: PersistedPorts): readonly PortOverride[] =>
  ports.get(namespaceId(container)) ?? [];

export const isSamePort = (one: ContainerPort, other: ContainerPort): boolean =>
  one.protocol === other.protocol && one.port === other.port;
