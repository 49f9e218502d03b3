/**
 * Reads a container and its image's own settings: the Engine merges an image's environment and labels into those of
 * the container.
 */
import { waitUntil } from '../../common/wait-until.ts';
import type { Container, ContainerId, ImageSettings } from '../../inventory/container.ts';
import type { Engine } from './engine.ts';
import { ExistingNamespaces } from './existing-namespace.ts';
import { containerFrom, manifestOf } from './inspect.ts';
import { imageSettings } from './own-settings.ts';

/** The most cached images. An image's id identifies its content, so a cached entry never becomes stale. */
const MOST_CACHED = 500;

/**
 * Milliseconds for requests besides the inspection. After that the image counts as unknown, which only makes settings
 * stricter, and CAP_NET_RAW counts as present.
 */
const LIMIT = 500;

/** True if a container lacks CAP_NET_RAW although the Engine granted it, because the gate removes it. */
export type LacksRawSockets = (container: Container) => Promise<boolean>;

export interface ReaderSettings {
  readonly lacksRawSockets?: LacksRawSockets | undefined;
  /** Reads what containers say of their services; default false. */
  readonly withServices?: boolean | undefined;
}

export class ContainerReader {
  readonly #engine: Engine;
  readonly #socket: string | undefined;
  readonly #lacksRawSockets: LacksRawSockets;
  readonly #withServices: boolean;
  readonly #namespaces: ExistingNamespaces;
  readonly #images = new Map<string, Promise<ImageSettings | 'unknown'>>();

  constructor(
    engine: Engine,
    { lacksRawSockets = async () => false, withServices = false }: ReaderSettings = {},
  ) {
    this.#engine = engine;
    this.#withServices = withServices;
    this.#socket = /^unix:\/\/(\/.+)$/.exec(engine.address)?.[1];
    this.#lacksRawSockets = lacksRawSockets;
    this.#namespaces = new ExistingNamespaces(engine);
  }

  /** Fails with an `EngineError` if the container itself cannot be inspected. */
  async read(id: ContainerId): Promise<Container> {
    const json = await this.#engine.inspect(id, this.#withServices);
    const seen = containerFrom(json, this.#socket, this.#withServices);
    const network = await waitUntil(LIMIT, this.#namespaces.resolve(seen.network), seen.network);
    const container = { ...seen, network };
    if (!hasOurSettings(container)) return container;
    const [image, lacksRawSockets] = await Promise.all([
      waitUntil(LIMIT, this.#settingsOf(container.imageId, manifestOf(json)), 'unknown' as const),
      waitUntil(LIMIT, this.#lacksRawSockets(container), false),
    ]);
    return { ...container, hasRawSockets: container.hasRawSockets && !lacksRawSockets, image };
  }

  #settingsOf(image: string, manifest: Manifest): Promise<ImageSettings | 'unknown'> {
    const key = manifest?.digest ?? image;
    const known = this.#images.get(key);
    if (known !== undefined) return known;
    const asked = this.#readImage(image, manifest);
    const forget = () => this.#images.delete(key);
    asked.then((settings) => settings === 'unknown' && forget(), forget);
    if (this.#images.size >= MOST_CACHED) this.#images.clear();
    this.#images.set(key, asked);
    return asked;
  }

  /**
   * An image can be removed by force while its containers stay; then its settings are unknown. They are also unknown
   * if the Engine describes an image of another platform than the container's.
   */
  async #readImage(image: string, manifest: Manifest): Promise<ImageSettings | 'unknown'> {
    const found = await this.#engine.image(image, manifest?.platform);
    if (found === undefined || (manifest !== undefined && found.manifest !== manifest.digest))
      return 'unknown';
    return imageSettings(found);
  }
}

type Manifest = ReturnType<typeof manifestOf>;

const hasOurSettings = ({ environment, labels }: Container): boolean =>
  environment.length > 0 || Object.keys(labels).length > 0;
