/**
 * An operator's overrides (`set`, `clear`) for containers. They last until the container stops: another start
 * begins with the container's own keys.
 */
import type { Container, ContainerId } from '../../inventory/container.ts';
import { type NamespaceId, namespaceId } from '../../inventory/namespace.ts';
import { type Mode, parseWorkload, type Workload } from '../../inventory/workload.ts';
import type { WorkloadNamespace } from './workload-namespaces.ts';

export type Override =
  /** These keys instead of the container's own. */
  | { readonly kind: 'set'; readonly grants: readonly string[] }
  /** No rules at all. */
  | { readonly kind: 'clear' };

/** `since`: in ms, by the controller's clock. */
export type ActiveOverride = Override & { readonly since: number };

/** By container and start, as `namespaceId` writes it. */
export type PersistedOverrides = ReadonlyMap<NamespaceId, ActiveOverride>;

export interface OverridesOptions {
  /** The overrides of the previous run. */
  readonly previous: PersistedOverrides | undefined;
  /** Called after a change, with all overrides. */
  readonly persist: (overrides: PersistedOverrides) => void;
  readonly now: () => number;
}

export class Overrides {
  readonly #options: OverridesOptions;
  readonly #byStart: Map<NamespaceId, ActiveOverride>;

  constructor(options: OverridesOptions) {
    this.#options = options;
    this.#byStart = new Map(options.previous);
  }

  set(container: Container, override: Override | undefined): void {
    const id = namespaceId(container);
    if (override !== undefined) this.#byStart.set(id, { ...override, since: this.#options.now() });
    else if (!this.#byStart.delete(id)) return;
    this.#options.persist(this.#byStart);
  }

  /** True if it has an override. */
  has(container: Container): boolean {
    return this.#byStart.has(namespaceId(container));
  }

  /** The container's workload, with an operator's override applied. */
  read(container: Container, defaultMode: Mode): Workload | undefined {
    const override = this.#byStart.get(namespaceId(container));
    if (override?.kind === 'clear') return undefined;
    const own = parseWorkload(container, defaultMode);
    return override === undefined ? own : workloadOf(own, defaultMode, override.grants);
  }

  /** As `read`, but only for containers whose rules were removed; with their own keys, for those who ask. */
  readCleared(container: Container, defaultMode: Mode): Workload | undefined {
    if (this.#byStart.get(namespaceId(container))?.kind !== 'clear') return undefined;
    const own = parseWorkload(container, defaultMode);
    return workloadOf(own, defaultMode, own?.grants ?? []);
  }

  /** The override of a container inside; the last one if there are several. */
  about({ members, target }: WorkloadNamespace): ActiveOverride | undefined {
    const active = [target, ...members.map(({ container }) => container)].flatMap(
      (one) => this.#byStart.get(namespaceId(one)) ?? [],
    );
    return active.toSorted((a, b) => b.since - a.since)[0];
  }

  /** Removes the overrides of containers that have stopped. */
  retain(containers: ReadonlyMap<ContainerId, Container>): void {
    const running = new Set([...containers.values()].map(namespaceId));
    const gone = [...this.#byStart.keys()].filter((id) => !running.has(id));
    for (const id of gone) this.#byStart.delete(id);
    if (gone.length > 0) this.#options.persist(this.#byStart);
  }
}

const workloadOf = (own: Workload | undefined, mode: Mode, grants: readonly string[]): Workload => ({
  mode: own?.mode ?? mode,
  dns: own?.dns ?? 'resolvers',
  ...(own?.keepsResolvers && { keepsResolvers: true }),
  problems: own?.problems ?? [],
  grants,
});
