/**
 * Reads a container, with what its image says by itself: the Engine mixes an image's environment and
 * labels into those of the container, and who made the image is not who runs it.
 */
import type { Container, ContainerId, ImageWords } from '../../domain/container.ts';
import type { Engine } from './engine.ts';
import { containerFrom, nameServing } from './inspect.ts';
import { imageWords } from './own-words.ts';

/** An image's id stands for its content, so that what was read once holds. */
const MOST_REMEMBERED = 500;

/** True if a container has no CAP_NET_RAW although the Engine gave it: the gate takes it away. */
export type LacksRawSockets = (container: Container) => Promise<boolean>;

export class ContainerReader {
  readonly #engine: Engine;
  readonly #lacksRawSockets: LacksRawSockets;
  readonly #images = new Map<string, Promise<ImageWords | 'unknown'>>();

  constructor(engine: Engine, lacksRawSockets: LacksRawSockets = async () => false) {
    this.#engine = engine;
    this.#lacksRawSockets = lacksRawSockets;
  }

  /** Fails with an `EngineError`. */
  async read(id: ContainerId): Promise<Container> {
    const json = await this.#engine.inspect(id);
    const container = containerFrom(json);
    if (!speaksOfUs(container)) return container;
    return {
      ...container,
      hasRawSockets: container.hasRawSockets && !(await this.#lacksRawSockets(container)),
      image: await this.#wordsOf(nameServing(json).image),
    };
  }

  #wordsOf(image: string): Promise<ImageWords | 'unknown'> {
    const known = this.#images.get(image);
    if (known !== undefined) return known;
    const asked = this.#ask(image);
    asked.catch(() => this.#images.delete(image));
    if (this.#images.size >= MOST_REMEMBERED) this.#images.clear();
    this.#images.set(image, asked);
    return asked;
  }

  /** An image can be removed by force while its containers stay; then nobody knows what it said. */
  async #ask(image: string): Promise<ImageWords | 'unknown'> {
    const found = await this.#engine.image(image);
    if (found === undefined) this.#images.delete(image);
    return found === undefined ? 'unknown' : imageWords(found);
  }
}

const speaksOfUs = ({ environment, labels }: Container): boolean =>
  environment.length > 0 || Object.keys(labels).length > 0;
