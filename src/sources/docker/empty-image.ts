/**
 * An image with nothing in it, for containers that never run: where the controller loads by nsenter, there need
 * not be a helper image, and the images of workloads may have volumes, or links in place of /etc.
 */
import type { Engine } from './engine.ts';

export const EMPTY_IMAGE = 'egresstrator-empty:1';

/** Its name; made where the Engine does not have it. Fails with an `EngineError`. */
export async function emptyImage(engine: Engine): Promise<string> {
  if ((await engine.image(EMPTY_IMAGE)) === undefined) await engine.importEmpty(EMPTY_IMAGE);
  return EMPTY_IMAGE;
}
