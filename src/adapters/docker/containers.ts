/**
 * The containers of a Docker Engine, for the controller.
 */
import type { ContainerSource, Watched } from '../../controller/ports.ts';
import type { Container, ContainerId } from '../../domain/container.ts';
import type { Engine } from './engine.ts';
import { isRefusal } from './errors.ts';
import { containerFrom } from './inspect.ts';
import type { ResolverReader } from './resolvers.ts';
import { Revisits } from './revisits.ts';
import { ContainerWatch, type WatchSettings } from './watch.ts';

export const defaultWatchSettings: WatchSettings = {
  relistEvery: 60_000,
  concurrency: 8,
  backoff: { first: 250, most: 15_000 },
  now: Date.now,
  random: Math.random,
};

export class DockerContainerSource implements ContainerSource {
  readonly #engine: Engine;
  readonly #resolvers: ResolverReader;
  readonly #settings: WatchSettings;

  constructor(engine: Engine, resolvers: ResolverReader, settings: Partial<WatchSettings> = {}) {
    this.#engine = engine;
    this.#resolvers = resolvers;
    this.#settings = { ...defaultWatchSettings, ...settings };
  }

  async list(): Promise<ReadonlyMap<ContainerId, Container>> {
    const found = new Map<ContainerId, Container>();
    const visits = new Revisits(async (id) => {
      const container = await this.#find(id);
      if (container?.running) found.set(container.id, container);
    }, this.#settings.concurrency);
    const ids = await this.#engine.runningIds();
    await Promise.all(ids.map((id) => visits.mark(id)));
    return found;
  }

  watch(onChange: () => void): Watched<ReadonlyMap<ContainerId, Container>> {
    return new ContainerWatch(this.#engine, this.#settings, onChange);
  }

  resolvers(id: ContainerId): Promise<readonly string[]> {
    return this.#resolvers(id);
  }

  /** A container that ended since it was listed is no error. */
  async #find(id: ContainerId): Promise<Container | undefined> {
    try {
      return containerFrom(await this.#engine.inspect(id));
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }
}
