/**
 * The state of the running containers: the last snapshot, those that cannot be read, and those whose image is unknown.
 * The watch updates it.
 *
 * A container that cannot be read keeps its last state, and does not delay the others.
 */
import { isDeepStrictEqual } from 'node:util';
import { EngineError } from '../../common/errors.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import { EngineUnreachable } from './errors.ts';

export type Containers = ReadonlyMap<ContainerId, Container>;

export class KnownContainers {
  #snapshot: Containers | undefined;
  readonly #known = new Map<ContainerId, Container>();
  readonly #unreadable = new Map<ContainerId, { readonly error: Error; readonly times: number }>();
  /** How often in a row the image was unknown. */
  readonly #unclear = new Map<ContainerId, number>();

  /** Undefined until `complete` was called. */
  get snapshot(): Containers | undefined {
    return this.#snapshot;
  }

  get ids(): ReadonlySet<ContainerId> {
    return new Set(this.#known.keys());
  }

  get unreadable(): ReadonlySet<ContainerId> {
    return new Set(this.#unreadable.keys());
  }

  /** True while it must be read again, even without an event. */
  awaitsRetry(id: ContainerId): boolean {
    return this.#unreadable.has(id) || this.#unclear.has(id);
  }

  /** True if it runs, as far as known, and its last inspection succeeded. */
  isCurrent(id: ContainerId): boolean {
    return this.#known.has(id) && !this.#unreadable.has(id);
  }

  /** Why some entries may be stale. */
  get error(): Error | undefined {
    const [first] = this.#unreadable.values();
    const others = this.#unreadable.size - 1;
    if (first === undefined || others === 0) return first?.error;
    return new EngineError(`${first.error.message} (and ${others} more)`, { cause: first.error });
  }

  /** Set if the Engine itself did not answer. */
  get unreachable(): Error | undefined {
    return [...this.#unreadable.values()].find(({ error }) => error instanceof EngineUnreachable)?.error;
  }

  /**
   * Call this when the listed containers have been read, or have taken too long. Returns true the first time.
   */
  complete(): boolean {
    const isFirst = this.#snapshot === undefined;
    this.#snapshot ??= new Map(this.#known);
    return isFirst;
  }

  /** `undefined`: it does not run. Returns true if the snapshot changes. */
  update(id: ContainerId, container: Container | undefined): boolean {
    if (container === undefined) this.#unclear.delete(id);
    const wasUnreadable = this.#unreadable.delete(id);
    const isSame = isDeepStrictEqual(this.#known.get(id), container);
    if (container === undefined) this.#known.delete(id);
    else this.#known.set(id, container);
    if ((isSame && !wasUnreadable) || this.#snapshot === undefined) return false;
    this.#snapshot = new Map(this.#known);
    return true;
  }

  /**
   * Returns how often in a row its image was unknown; undefined if the image is known or the container does not run.
   */
  countUnclear({ id, running, image }: Container): number | undefined {
    const times = (this.#unclear.get(id) ?? 0) + 1;
    if (running && image === 'unknown') this.#unclear.set(id, times);
    else this.#unclear.delete(id);
    return this.#unclear.get(id);
  }

  /** Returns how often in a row it could not be read. */
  failed(id: ContainerId, error: Error): number {
    const times = (this.#unreadable.get(id)?.times ?? 0) + 1;
    this.#unreadable.set(id, { error, times });
    return times;
  }
}
