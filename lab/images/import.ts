/**
 * Images made on this machine, as none can be pulled: a recipe makes a tar of a root file system,
 * which is kept, and an Engine imports it. The tag holds a hash of the recipe, so an image that is
 * already what the recipe says costs one question.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { callEngine, textField } from '../engine/api.ts';
import { LabError } from '../errors.ts';
import { withLock } from '../lock.ts';
import { timed } from '../log.ts';
import { labFolder } from '../paths.ts';

export interface Recipe {
  /** `egresstrator-lab/<name>`. */
  readonly name: string;
  readonly tag: string;
  /** All that decides the content; equal ingredients make an equal image. */
  readonly ingredients: readonly string[];
  /** Dockerfile instructions: `ENV`, `CMD`, `LABEL`, … */
  readonly changes: readonly string[];
  /** Writes the root file system as a tar archive. */
  makeTar(file: string): Promise<void>;
}

/** Sleeps until it is told to end: PID 1 ignores SIGTERM unless it handles it, and sleep does not. */
export const idle = `CMD ["sh", "-c", "trap 'exit 0' TERM INT; sleep 2147483647 & wait"]`;

/** Makes the image known to the Engine at `socketPath` and returns its name. */
export async function ensureImage(recipe: Recipe, socketPath: string): Promise<string> {
  const repository = `egresstrator-lab/${recipe.name}`;
  const exactTag = `${recipe.tag}-${hashOf(recipe)}`;
  const image = `${repository}:${recipe.tag}`;
  await withLock(`image-${recipe.name}-${socketPath}`, async () => {
    const wanted = await imageId(socketPath, `${repository}:${exactTag}`);
    if (wanted !== undefined && wanted === (await imageId(socketPath, image))) return;
    const tar = await ensureTar(recipe, `${recipe.name}-${exactTag}.tar`);
    await timed(`made image ${image}`, () => importTar(recipe, socketPath, repository, exactTag, tar));
    await tagImage(socketPath, `${repository}:${exactTag}`, repository, recipe.tag);
  });
  return image;
}

async function ensureTar(recipe: Recipe, fileName: string): Promise<string> {
  const folder = labFolder('images');
  const file = join(folder, fileName);
  return withLock(`tar-${recipe.name}`, async () => {
    if (existsSync(file)) return file;
    await recipe.makeTar(`${file}.draft`);
    const isOutdated = (name: string) =>
      name.startsWith(`${recipe.name}-${recipe.tag}-`) && name.endsWith('.tar');
    for (const name of readdirSync(folder).filter(isOutdated)) rmSync(join(folder, name));
    renameSync(`${file}.draft`, file);
    return file;
  });
}

async function importTar(recipe: Recipe, socketPath: string, repo: string, tag: string, tar: string) {
  const query = new URLSearchParams({ fromSrc: '-', repo, tag });
  for (const change of recipe.changes) query.append('changes', change);
  const reply = await callEngine(socketPath, 'POST', `/images/create?${query}`, createReadStream(tar));
  // A failure half-way comes in the body of a reply with status 200.
  if (reply.status !== 200 || JSON.stringify(reply.body).includes('errorDetail')) {
    throw new LabError(`The Engine did not import ${tar}: ${JSON.stringify(reply.body)}`);
  }
}

async function tagImage(socketPath: string, from: string, repo: string, tag: string): Promise<void> {
  const query = new URLSearchParams({ repo, tag });
  const { status, body } = await callEngine(socketPath, 'POST', `/images/${from}/tag?${query}`);
  if (status !== 201) throw new LabError(`The Engine did not tag ${from}: ${JSON.stringify(body)}`);
}

async function imageId(socketPath: string, image: string): Promise<string | undefined> {
  const { status, body } = await callEngine(socketPath, 'GET', `/images/${image}/json`);
  return status === 200 ? textField(body, 'Id') : undefined;
}

function hashOf({ ingredients, changes }: Recipe): string {
  return createHash('sha256')
    .update(JSON.stringify([ingredients, changes]))
    .digest('hex')
    .slice(0, 12);
}
