/**
 * An empty image for containers that never run: with the nsenter loader there may be no helper image, and images of
 * workloads may have volumes, or links in the place of /etc.
 */
import type { Engine } from './engine.ts';

export const EMPTY_IMAGE = 'egresstrator-empty:1';

/** Returns its name, and creates it if the Engine does not have it. Fails with an `EngineError`. */
export async function emptyImage(engine: Engine): Promise<string> {
  if ((await engine.image(EMPTY_IMAGE)) === undefined) await engine.importEmpty(EMPTY_IMAGE);
  return EMPTY_IMAGE;
}
