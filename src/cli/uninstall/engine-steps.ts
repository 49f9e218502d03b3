/**
 * Our objects in the Docker Engine: helpers that a crash left behind, and images. Also finds a controller that runs
 * in a container of our image.
 */
import { EMPTY_IMAGE } from '../../sources/docker/empty-image.ts';
import type { Engine } from '../../sources/docker/engine.ts';
import { helperLabel, ownIds } from '../../sources/docker/image.ts';
import { isOurs, ourLabel } from '../../sources/docker/labels.ts';
import type { UninstallStep } from './step.ts';

/** The names of running containers of our image that are neither helpers nor this process's own. */
export async function runningControllers(engine: Engine): Promise<readonly string[]> {
  const [labelled, running, own] = await Promise.all([engine.all(helperLabel), engine.running(), ownIds()]);
  const isSelf = (id: string) => own.some((one) => id.startsWith(one));
  return labelled
    .filter((one) => running.some(({ id }) => id === one.id) && !isOurs(one) && !isSelf(one.id))
    .map(({ id, names }) => names[0]?.replace(/^\//, '') ?? id);
}

export async function findHelpers(engine: Engine): Promise<readonly UninstallStep[]> {
  const helpers = (await engine.all(ourLabel)).filter(isOurs);
  return helpers.map(({ id, names }) => ({
    part: 'helpers',
    what: names[0]?.replace(/^\//, '') ?? id,
    remove: () => engine.remove(id).then(() => undefined),
  }));
}

/**
 * An image that is built from ours has our label, so the name counts as well. `named`: the image of --image. Images
 * without a name, because a later build took it, do not count. An image goes when the helpers of this command are gone,
 * because they are made from it.
 */
export async function findImages(
  engine: Engine,
  named: string | undefined,
  helpersGone: () => Promise<void>,
): Promise<readonly UninstallStep[]> {
  const labelled = await engine.namesOfImages(helperLabel);
  const empty = (await engine.image(EMPTY_IMAGE)) === undefined ? [] : [EMPTY_IMAGE];
  const names = [...labelled.filter((name) => isOurName(name) || name === named), ...empty];
  return [...new Set(names)].map((what) => ({
    ...{ part: 'image', what },
    remove: async () => {
      await helpersGone();
      await engine.removeImage(what);
      return undefined;
    },
  }));
}

/** `egresstrator:1.0.0`, `egresstrator-helper:1.0.0`, `registry.example:5000/team/egresstrator:1.0.0` */
const isOurName = (name: string): boolean => /^([^/]+\/)*egresstrator(-[a-z]+)?(:[^/]*)?$/.test(name);
