/**
 * An image with no files and a configuration that is written by hand: an Engine keeps the bytes as they are,
 * and reads them as Go does.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { callEngine } from '../../lab/engine/api.ts';

/** An archive with nothing in it: two blocks of zeros. */
const layer = Buffer.alloc(1024);

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Cmd?: readonly string[];
}

/** What `docker build` would write, to be changed by whoever wants something else. */
export const imageJson = (config: ImageConfig): string =>
  JSON.stringify({
    ...{ architecture: 'amd64', os: 'linux', config },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created_by: 'by hand' }],
  });

/** Loads it, and returns its id, by which it is used and removed: it has no name. */
export async function loadImage(socketPath: string, json: string | Uint8Array): Promise<string> {
  const bytes = Buffer.from(json);
  const digest = sha256(bytes);
  const archive = pack();
  const manifest = [{ Config: `${digest}.json`, RepoTags: [], Layers: ['layer.tar'] }];
  archive.entry({ name: `${digest}.json` }, bytes);
  archive.entry({ name: 'layer.tar' }, layer);
  archive.entry({ name: 'manifest.json' }, JSON.stringify(manifest));
  await load(socketPath, archive);
  return `sha256:${digest}`;
}

/** One name for an image of each architecture, as registries have it; only containerd's store keeps it so. */
export async function loadPlatforms(
  socketPath: string,
  name: string,
  configs: Readonly<Record<string, ImageConfig>>,
): Promise<void> {
  const archive = pack();
  const blob = (content: string | Uint8Array, mediaType: string) => {
    const bytes = Buffer.from(content);
    const digest = sha256(bytes);
    archive.entry({ name: `blobs/sha256/${digest}` }, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const layers = [blob(layer, `${OCI}.layer.v1.tar`)];
  const manifests = Object.entries(configs).map(([architecture, config]) => {
    const json = JSON.stringify({ ...JSON.parse(imageJson(config)), architecture });
    const manifest = { schemaVersion: 2, config: blob(json, `${OCI}.config.v1+json`), layers };
    const described = blob(JSON.stringify(manifest), `${OCI}.manifest.v1+json`);
    return { ...described, platform: { architecture, os: 'linux' } };
  });
  const index = blob(JSON.stringify({ schemaVersion: 2, manifests }), `${OCI}.index.v1+json`);
  const annotations = { 'io.containerd.image.name': `docker.io/library/${name}` };
  archive.entry({ name: 'oci-layout' }, '{"imageLayoutVersion":"1.0.0"}');
  archive.entry(
    { name: 'index.json' },
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...index, annotations }] }),
  );
  await load(socketPath, archive);
}

async function load(socketPath: string, archive: Pack): Promise<void> {
  archive.finalize();
  const { status, body } = await callEngine(
    socketPath,
    'POST',
    '/images/load?quiet=1',
    Readable.from(archive),
  );
  if (status !== 200) throw new Error(`the Engine did not load the image: ${JSON.stringify(body)}`);
}

const OCI = 'application/vnd.oci.image';
