/**
 * Finds the owner of the namespace that a container joined (`--network container:…`), which may itself have joined
 * another one.
 *
 * The Engine reports only the container that was joined directly. Once a container in between has ended, the chain
 * cannot be followed any more. So it is followed to its end as soon as a container is read. How a container was
 * created never changes, so results are cached.
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

  /** Never fails: if the chain is broken, the last known container counts as its root. */
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
