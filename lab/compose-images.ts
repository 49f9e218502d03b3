/**
 * Replacements for the public images of docker-compose.yml, because images cannot be pulled here. They are made from
 * the lab's own images and its consul program.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { consulProgram } from './consul/program.ts';
import { ensureBaseImage, ensureWorkloadImage } from './images.ts';

/** Variables of docker-compose.yml, for an Engine that cannot pull images. */
export async function composeEnvironment(socketPath: string): Promise<Readonly<Record<string, string>>> {
  return {
    DOCKER_SOCKET: socketPath,
    BASE_IMAGE: await ensureBaseImage(socketPath),
    CONSUL_IMAGE: await ensureConsulImage(socketPath),
    TOOL_IMAGE: await ensureToolImage(socketPath),
  };
}

/** Consul, with the entry point of the public image. */
async function ensureConsulImage(socketPath: string): Promise<string> {
  const { path, version } = await consulProgram();
  const base = await ensureBaseImage(socketPath);
  const recipe = [`FROM ${base}`, 'COPY consul /usr/local/bin/consul', 'ENTRYPOINT ["consul"]'];
  return build(socketPath, `egresstrator-lab/consul:${version.join('.')}`, recipe, { consul: path });
}

/**
 * Debian with httpd and wget. The lab's own workload image is not suitable: its busybox is linked statically
 * and crashes when wget looks up a name.
 */
async function ensureToolImage(socketPath: string): Promise<string> {
  const workload = await ensureWorkloadImage(socketPath);
  const recipe = [
    `FROM ${await ensureBaseImage(socketPath)}`,
    'RUN apt-get update && apt-get install -y --no-install-recommends wget',
    `COPY --from=${workload} /bin/busybox /usr/local/bin/httpd`,
  ];
  return build(socketPath, 'egresstrator-lab/tool:latest', recipe);
}

/** `files`: the files of the build context, by name. */
async function build(
  socketPath: string,
  image: string,
  recipe: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'egt-image-'));
  try {
    for (const [name, path] of Object.entries(files)) copyFileSync(path, join(folder, name));
    writeFileSync(join(folder, 'Dockerfile'), recipe.join('\n'));
    const command = ['-H', `unix://${socketPath}`, 'build', '--quiet', '--tag', image, folder];
    await execa('docker', command, { stdin: 'ignore', env: { DOCKER_BUILDKIT: '0' } });
    return image;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
