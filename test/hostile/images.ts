/**
 * Hostile images: their JSON is written here, byte by byte, and loaded as a tar.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { extract, pack } from 'tar-stream';
import { callEngine } from '../../lab/engine/api.ts';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { labRunFolder } from '../../lab/paths.ts';

export interface ImageSpec {
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** More members of its `config`: `{ User: '65534' }`. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Its JSON; default: `JSON.stringify`. */
  readonly text?: (config: ImageConfig) => string | Buffer;
}

export interface ImageConfig extends Readonly<Record<string, unknown>> {
  readonly config: Readonly<Record<string, unknown>>;
}

/** Loads an image for each spec, all at once, named `hostile:<key>`. */
export async function loadImages(
  socketPath: string,
  specs: Readonly<Record<string, ImageSpec>>,
): Promise<void> {
  const folder = mkdtempSync(join(labRunFolder('hostile'), 'images-'));
  try {
    const file = join(folder, 'images.tar');
    await writeTar(file, [await baseLayer(socketPath, folder), await ownLayer(folder)], specs);
    const { status, body } = await callEngine(socketPath, 'POST', '/images/load', createReadStream(file));
    if (status !== 200 || JSON.stringify(body).includes('errorDetail')) {
      throw new Error(`The Engine did not load the images: ${status} ${JSON.stringify(body)}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function writeTar(
  file: string,
  layers: readonly Buffer[],
  specs: Readonly<Record<string, ImageSpec>>,
): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  for (const [index, layer] of layers.entries()) tar.entry({ name: `${index}/layer.tar` }, layer);
  const Layers = layers.map((_, index) => `${index}/layer.tar`);
  for (const [key, spec] of Object.entries(specs)) {
    const config = configOf(key, spec, layers.map(digest));
    tar.entry({ name: `${key}.json` }, spec.text?.(config) ?? JSON.stringify(config));
  }
  const manifest = Object.keys(specs).map((key) => ({
    ...{ Config: `${key}.json`, RepoTags: [`hostile:${key}`], Layers },
  }));
  tar.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  tar.finalize();
  await written;
}

/** `comment` keeps two images with the same settings apart. */
const configOf = (key: string, spec: ImageSpec, diff_ids: readonly string[]): ImageConfig => ({
  ...{ architecture: 'amd64', os: 'linux', comment: key },
  config: {
    Env: ['PATH=/bin', ...(spec.env ?? [])],
    Cmd: ['sh'],
    Labels: spec.labels ?? {},
    ...spec.more,
  },
  rootfs: { type: 'layers', diff_ids },
});

const digest = (layer: Buffer): string => `sha256:${createHash('sha256').update(layer).digest('hex')}`;

async function baseLayer(socketPath: string, folder: string): Promise<Buffer> {
  const name = await ensureWorkloadImage(socketPath);
  const file = join(folder, 'base.tar');
  await execa('docker', ['-H', `unix://${socketPath}`, 'save', '--output', file, name]);
  const entries = new Map<string, Buffer>();
  const parser = createReadStream(file).pipe(extract());
  for await (const entry of parser) {
    entries.set(entry.header.name, await buffer(entry));
  }
  const [manifest]: readonly { readonly Layers: readonly string[] }[] = JSON.parse(
    `${entries.get('manifest.json')}`,
  );
  const layer = entries.get(manifest?.Layers[0] ?? '');
  if (layer === undefined) throw new Error(`${name} has no layer`);
  return layer;
}

/** A folder that is writable for all users, and links so that this machine's programs run if /usr is mounted. */
async function ownLayer(folder: string): Promise<Buffer> {
  const file = join(folder, 'own.tar');
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  tar.entry({ name: 'w', type: 'directory', mode: 0o777, mtime: new Date(0) });
  for (const name of ['lib', 'lib64'])
    tar.entry({ name, type: 'symlink', linkname: `usr/${name}`, mtime: new Date(0) });
  tar.finalize();
  await written;
  return readFileSync(file);
}
