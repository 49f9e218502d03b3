/**
 * What an operator has said by hand (`set`, `clear`) about containers. It counts until the container
 * stops: another start begins with what the container itself asks for.
 */
import type { Container, ContainerId } from '../domain/container.ts';
import { namespaceId } from '../domain/namespace.ts';
import { type Mode, parseWorkload, type Workload } from '../domain/workload.ts';

export type Override =
  /** These keys instead of the container's own. */
  | { readonly kind: 'set'; readonly grants: readonly string[] }
  /** No rules at all. */
  | { readonly kind: 'clear' };

export class Overrides {
  readonly #byStart = new Map<string, Override>();

  set(container: Container, override: Override | undefined): void {
    if (override === undefined) this.#byStart.delete(namespaceId(container));
    else this.#byStart.set(namespaceId(container), override);
  }

  /** The workload that a container is, an operator's word considered. */
  read(container: Container, defaultMode: Mode): Workload | undefined {
    const override = this.#byStart.get(namespaceId(container));
    if (override?.kind === 'clear') return undefined;
    const own = parseWorkload(container, defaultMode);
    if (override === undefined) return own;
    return {
      mode: own?.mode ?? defaultMode,
      dns: own?.dns ?? 'resolvers',
      problems: own?.problems ?? [],
      grants: override.grants,
    };
  }

  /** Forgets the containers that no longer run as they did. */
  retain(containers: ReadonlyMap<ContainerId, Container>): void {
    const running = new Set([...containers.values()].map(namespaceId));
    for (const id of this.#byStart.keys()) if (!running.has(id)) this.#byStart.delete(id);
  }
}
