/**
 * Finds the image for helpers: the one that the user named, else the image that the controller itself runs in, else
 * `egresstrator-helper:<version>`. Only an image that the user named is pulled.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EngineError, messageOf } from '../../common/errors.ts';
import { read } from './answers.ts';
import type { Engine } from './engine.ts';
import { isHttpError } from './errors.ts';

export interface HelperImageSettings {
  /** As in `--image`. */
  readonly named?: string | undefined;
  /** The version of this program. */
  readonly version: string;
  /** Reads a file of this machine; undefined if there is none. */
  readonly readText?: (path: string) => Promise<string | undefined>;
}

/** Set by our Dockerfile on images with `dataplane/netns` and `dataplane/host`. The value is what `netns version` prints. */
export const helperLabel = 'egresstrator.helper';

/** The version of the protocol that this program speaks with `dataplane/netns`. */
export const helperVersion = '9';

/** Finds the image; fails with an `EngineError`. */
export interface HelperImage {
  (): Promise<string>;
  /** The image was removed, for example by a prune: search again at the next call. */
  forget?(): void;
}

/** Asks the Engine at the first call and caches a successful answer. */
export function helperImage(engine: Engine, settings: HelperImageSettings): HelperImage {
  let found: Promise<string> | undefined;
  const forget = () => {
    found = undefined;
  };
  const find = () => {
    found ??= findImage(engine, settings).catch((error: unknown) => {
      forget();
      throw error;
    });
    return found;
  };
  return Object.assign(find, { forget });
}

async function findImage(engine: Engine, settings: HelperImageSettings): Promise<string> {
  const { named, version, readText = readIfThere } = settings;
  if (named) return fitting(engine, await present(engine, named));
  const own = await ownImage(engine, await ownIds(readText));
  if (own !== undefined) return own;
  const usual = `egresstrator-helper:${version}`;
  if ((await engine.image(usual)) !== undefined) return fitting(engine, usual);
  throw new EngineError(
    `The Docker Engine has no helper image ${usual}: build it with \`docker build --target helper -t ${usual} .\`, or name another with --image.`,
  );
}

async function present(engine: Engine, name: string): Promise<string> {
  if ((await engine.image(name)) !== undefined) return name;
  try {
    await engine.pull(name);
  } catch (error) {
    throw new EngineError(
      `The Docker Engine has no helper image ${name} and cannot pull it: build it with \`docker build --target helper -t ${name} .\`, or correct --image: ${messageOf(error)}`,
      { cause: error },
    );
  }
  return name;
}

/** An image without the label counts as suitable, because the user chose it. */
async function fitting(engine: Engine, name: string): Promise<string> {
  const found = (await engine.image(name))?.labels[helperLabel] ?? helperVersion;
  if (found === helperVersion) return name;
  throw new EngineError(
    `The helper image ${name} is of another version of egresstrator (protocol ${found}, and this is ${helperVersion}): build it anew with \`docker build --target helper -t ${name} .\`.`,
  );
}

const inspected = z.object({
  Id: z.string(),
  Image: z.string(),
  State: z.object({ Running: z.boolean() }),
});

/** The image of the first of these containers that runs on this Engine, if it can serve as a helper. */
async function ownImage(engine: Engine, ids: readonly string[]): Promise<string | undefined> {
  for (const id of ids) {
    const image = await imageOf(engine, id);
    const summary = image === undefined ? undefined : await engine.image(image);
    if (summary?.labels[helperLabel] === helperVersion) return image;
  }
  return undefined;
}

/** An id may equal the host's name by chance; such a container is not ours. */
async function imageOf(engine: Engine, id: string): Promise<string | undefined> {
  try {
    const { Id, Image, State } = read(inspected, await engine.inspect(id), `inspect container ${id}`);
    return Id.startsWith(id) && State.Running ? Image : undefined;
  } catch (error) {
    if (isHttpError(error, 404)) return undefined;
    throw error;
  }
}

/**
 * The possible ids of our own container, if we are in one: Docker mounts files from a folder with the id as its name.
 */
export async function ownIds(
  readText: (path: string) => Promise<string | undefined> = readIfThere,
): Promise<readonly string[]> {
  const mounts = (await readText('/proc/self/mountinfo')) ?? '';
  const mounted = /\/containers\/([0-9a-f]{64})\/(?:resolv\.conf|hostname|hosts) /.exec(mounts)?.[1];
  const hostName = ((await readText('/etc/hostname')) ?? '').trim();
  return [mounted ?? '', hostName].filter((id) => /^[0-9a-f]{12,64}$/.test(id));
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch(() => undefined);
