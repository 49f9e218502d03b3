/**
 * The containers of a Docker Engine, for the controller.
 */
import PQueue from 'p-queue';
import { LoadError } from '../../common/errors.ts';
import { steadyNow } from '../../common/steady-clock.ts';
import type { Container, ContainerId } from '../../inventory/container.ts';
import type { ContainerSource, WatchedEngine } from '../../inventory/sources.ts';
import { ContainerReader } from './container-reader.ts';
import { withDeadline } from './deadline.ts';
import { defaultResolvers } from './default-resolvers.ts';
import { emptyImage } from './empty-image.ts';
import type { Engine } from './engine.ts';
import { isHttpError } from './errors.ts';
import { externalAddresses } from './resolv-conf.ts';
import { resolvConfOn } from './resolv-conf-probe.ts';
import { readHostFile, resolversFrom } from './resolvers.ts';
import { ContainerWatch, type WatchSettings } from './watch.ts';

export interface SourceSettings extends WatchSettings {
  /** Milliseconds for which the Engine's own resolvers are cached. */
  readonly keepResolvers: number;
  /** Milliseconds for reading the resolvers of a container. */
  readonly resolversLimit: number;
  /** Returns the image of the containers that read the Engine's resolv.conf; default: an empty image. */
  readonly image?: (() => Promise<string>) | undefined;
}

const defaultSettings: SourceSettings = {
  keepResolvers: 600_000,
  resolversLimit: 10_000,
  relistEvery: 60_000,
  listLimit: 1_000,
  concurrency: 8,
  // Requests to a local socket are cheap, and containers that start wait for each pause.
  backoff: { first: 250, most: 5_000 },
  now: Date.now,
  steadyNow,
  random: Math.random,
};

export class DockerContainerSource implements ContainerSource {
  readonly #engine: Engine;
  readonly #reader: ContainerReader;
  readonly #settings: SourceSettings;
  readonly #readDefaults: (image: string) => Promise<readonly string[]>;
  /** The Engine's own resolvers, as last read. */
  #defaults: readonly string[] | undefined;

  constructor(engine: Engine, settings: Partial<SourceSettings> = {}) {
    this.#engine = engine;
    this.#settings = { ...defaultSettings, ...settings };
    this.#reader = new ContainerReader(engine, this.#settings);
    this.#readDefaults = defaultResolvers(engine, this.#settings.keepResolvers, this.#settings.now);
  }

  async list(): Promise<ReadonlyMap<ContainerId, Container>> {
    const found = new Map<ContainerId, Container>();
    const queue = new PQueue({ concurrency: this.#settings.concurrency });
    const listed = await this.#engine.running();
    const read = await queue.addAll(
      listed.map(
        ({ id }) =>
          () =>
            this.#find(id),
      ),
    );
    for (const container of read) if (container?.running) found.set(container.id, container);
    return found;
  }

  watch(onChange: () => void): WatchedEngine {
    return new ContainerWatch(this.#engine, this.#settings, onChange);
  }

  /** Reads the Engine's own resolvers before the first container starts. */
  async warmUp(): Promise<readonly string[]> {
    this.#defaults = await this.#readDefaults(await this.#image());
    return this.#defaults;
  }

  configuredResolvers({ dnsConfig: { servers } }: Container): readonly string[] | undefined {
    return servers.length > 0 ? externalAddresses(servers) : this.#defaults;
  }

  async resolversFromFile(container: Container): Promise<readonly string[] | undefined> {
    const given = this.configuredResolvers(container);
    const { servers, resolvConf } = container.dnsConfig;
    if (servers.length === 0) this.#refresh();
    if (given === undefined || resolvConf === undefined) return undefined;
    const text = await readHostFile(resolvConf);
    return text === undefined ? undefined : resolversFrom(text, given);
  }

  /** If the container ended, fails with a `LoadError` that has `gone`: the Engine reports this in many ways. */
  async resolvers(container: Container): Promise<readonly string[]> {
    const { id, name } = container;
    const { resolversLimit } = this.#settings;
    try {
      return await withDeadline(resolversLimit, `read the DNS resolvers of ${name}`, () =>
        this.#ask(container),
      );
    } catch (error) {
      const found = await this.#find(id).catch(() => 'unknown' as const);
      if (found === 'unknown' || found?.running) throw error;
      const message = `Container ${id} ended before its resolvers were read.`;
      throw new LoadError(message, { gone: true, cause: error });
    }
  }

  /** The Engine's resolvers may change while it runs. The present caller does not wait for the update. */
  #refresh(): void {
    this.warmUp().catch(() => {});
  }

  async #ask(container: Container): Promise<readonly string[]> {
    const image = await this.#image();
    if (container.dnsConfig.servers.length === 0) await this.warmUp();
    const here = await this.resolversFromFile(container);
    if (here !== undefined) return here;
    const network = `container:${container.id}`;
    const text = await resolvConfOn(this.#engine, image, network, this.#settings.now());
    return resolversFrom(text, this.configuredResolvers(container) ?? []);
  }

  /**
   * The helper image if there is one. Never a workload's image: its author could put obstacles in the way of the file.
   */
  async #image(): Promise<string> {
    const { image } = this.#settings;
    return image === undefined ? emptyImage(this.#engine) : image().catch(() => emptyImage(this.#engine));
  }

  /** Undefined if the container ended since it was listed. */
  async #find(id: ContainerId): Promise<Container | undefined> {
    try {
      return await this.#reader.read(id);
    } catch (error) {
      if (isHttpError(error, 404)) return undefined;
      throw error;
    }
  }
}
