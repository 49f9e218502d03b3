/**
 * Whose namespace a container is in that joined another's, which may have joined another's itself.
 *
 * The Engine tells one step. The containers in between may end, and then nobody could say any more who is together,
 * so the way is followed to its end as soon as a container is read. How a container was created never changes:
 * what was read once holds.
 */
import type { ContainerId, NetworkMode } from '../../inventory/container.ts';
import type { Engine } from './engine.ts';
import { containerFrom } from './inspect.ts';

const MOST_CACHED = 2_000;
const LONGEST = 32;

export class ExistingNamespaces {
  readonly #engine: Pick<Engine, 'inspect'>;
  readonly #modes = new Map<ContainerId, NetworkMode>();

  constructor(engine: Pick<Engine, 'inspect'>) {
    this.#engine = engine;
  }

  /** Never fails: where the way is lost, the last one known is the root. */
  async resolve(mode: NetworkMode): Promise<NetworkMode> {
    if (mode.kind !== 'container') return mode;
    let root = mode.owner;
    for (let steps = 0; steps < LONGEST; steps++) {
      const next = await this.#modeOf(root);
      if (next?.kind === 'host') return next;
      if (next?.kind !== 'container') break;
      root = next.owner;
    }
    return { ...mode, root };
  }

  async #modeOf(id: ContainerId): Promise<NetworkMode | undefined> {
    const known = this.#modes.get(id);
    if (known !== undefined) return known;
    const mode = await this.#ask(id).catch(() => undefined);
    if (mode === undefined) return undefined;
    if (this.#modes.size >= MOST_CACHED) this.#modes.clear();
    this.#modes.set(id, mode);
    return mode;
  }

  async #ask(id: ContainerId): Promise<NetworkMode> {
    return containerFrom(await this.#engine.inspect(id)).network;
  }
}
