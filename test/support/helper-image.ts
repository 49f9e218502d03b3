/**
 * The helper image, built from this checkout as it is, under a name that only tests use. Its tag holds a hash of all
 * that it is made of, so that an Engine which has it is asked once: a build that changes nothing takes a second.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { callEngine, textField } from '../../lab/engine/api.ts';
import type { Engine } from '../../lab/engine.ts';
import { ensureBaseImage } from '../../lab/images.ts';
import { withLock } from '../../lab/lock.ts';
import { inCheckout } from '../../lab/paths.ts';

/** What the Dockerfile has in the helper. */
const FILES = ['Dockerfile', 'dataplane/netns', 'dataplane/host'];

export async function ensureTestImage({ socketPath }: Pick<Engine, 'socketPath'>): Promise<string> {
  const base = await ensureBaseImage(socketPath);
  const idOf = async (image: string) =>
    textField((await callEngine(socketPath, 'GET', `/images/${image}/json`)).body, 'Id');
  const ingredients = [`${await idOf(base)}`, ...FILES.map((file) => readFileSync(inCheckout(file), 'utf8'))];
  const hash = createHash('sha256').update(JSON.stringify(ingredients)).digest('hex').slice(0, 12);
  const image = `egresstrator-lab/helper:test-${hash}`;
  const build = ['build', '--quiet', '--target', 'helper', '--build-arg', `BASE_IMAGE=${base}`];
  await withLock(`build-${socketPath}`, async () => {
    if ((await idOf(image)) !== undefined) return;
    await execa('docker', ['-H', `unix://${socketPath}`, ...build, '--tag', image, '.'], {
      ...{ cwd: inCheckout(), stdin: 'ignore', env: { DOCKER_BUILDKIT: '0' } },
    });
  });
  return image;
}
