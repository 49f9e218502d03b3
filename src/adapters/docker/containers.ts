/**
 * The containers of a Docker Engine, for the controller.
 */
import type { ContainerSource, Watched } from '../../controller/ports.ts';
import type { Container, ContainerId } from '../../domain/container.ts';
import { LoadError } from '../../domain/errors.ts';
import { steadyNow } from '../clock/steady-clock.ts';
import { ContainerReader } from './container-reader.ts';
import { defaultResolvers } from './default-resolvers.ts';
import type { Engine } from './engine.ts';
import { isRefusal } from './errors.ts';
import { type DefaultResolvers, resolversOf } from './resolvers.ts';
import { Revisits } from './revisits.ts';
import { ContainerWatch, type WatchSettings } from './watch.ts';

export interface SourceSettings extends WatchSettings {
  /** Milliseconds for which the Engine's own resolvers are remembered. */
  readonly keepResolvers: number;
}

const defaultSettings: SourceSettings = {
  keepResolvers: 600_000,
  relistEvery: 60_000,
  concurrency: 8,
  // To ask a socket of this host costs next to nothing, and each wait is one for containers that start.
  backoff: { first: 250, most: 5_000 },
  now: Date.now,
  steadyNow,
  random: Math.random,
};

export class DockerContainerSource implements ContainerSource {
  readonly #engine: Engine;
  readonly #reader: ContainerReader;
  readonly #settings: SourceSettings;
  readonly #defaultResolvers: DefaultResolvers;

  constructor(engine: Engine, settings: Partial<SourceSettings> = {}) {
    this.#engine = engine;
    this.#settings = { ...defaultSettings, ...settings };
    this.#reader = new ContainerReader(engine, this.#settings.lacksRawSockets);
    this.#defaultResolvers = defaultResolvers(engine, this.#settings.keepResolvers, this.#settings.now);
  }

  async list(): Promise<ReadonlyMap<ContainerId, Container>> {
    const found = new Map<ContainerId, Container>();
    const visits = new Revisits(async (id) => {
      const container = await this.#find(id);
      if (container?.running) found.set(container.id, container);
    }, this.#settings.concurrency);
    const listed = await this.#engine.running();
    await Promise.all(listed.map(({ id }) => visits.mark(id)));
    return found;
  }

  watch(onChange: () => void): Watched<ReadonlyMap<ContainerId, Container>> {
    return new ContainerWatch(this.#engine, this.#settings, onChange);
  }

  /** The Engine's own resolvers, which the first container to start would have to wait for. `image`: whichever the Engine has. */
  warmUp(image: string): Promise<readonly string[]> {
    return this.#defaultResolvers(image);
  }

  /** Fails with a `LoadError` that says so if the container ended: the Engine has many words for that. */
  async resolvers(id: ContainerId): Promise<readonly string[]> {
    try {
      return await resolversOf(this.#engine, id, this.#defaultResolvers);
    } catch (error) {
      const container = await this.#find(id).catch(() => 'unknown' as const);
      if (container === 'unknown' || container?.running) throw error;
      throw new LoadError(`Container ${id} ended before its resolvers were read.`, {
        gone: true,
        cause: error,
      });
    }
  }

  /** A container that ended since it was listed is no error. */
  async #find(id: ContainerId): Promise<Container | undefined> {
    try {
      return await this.#reader.read(id);
    } catch (error) {
      if (isRefusal(error, 404)) return undefined;
      throw error;
    }
  }
}
