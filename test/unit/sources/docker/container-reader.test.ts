/** What a container's image said, where one name stands for several images. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseWorkload } from '../../../../src/inventory/workload.ts';
import { ContainerReader } from '../../../../src/sources/docker/container-reader.ts';
import type { Engine, ImageSummary, Platform } from '../../../../src/sources/docker/engine.ts';
import { FakeEngine } from './fake-engine.ts';

const plain: object = JSON.parse(
  readFileSync(join(import.meta.dirname, 'inspected/plain.28.5.json'), 'utf8'),
);
const Env = ['EGRESSTRATOR_ENABLE=1', 'EGRESSTRATOR_MODE=audit'];
const platform = { architecture: '386', os: 'linux' };

/** The image of another platform says nothing. */
async function read(answer: (asked: Platform | undefined) => ImageSummary) {
  const engine: Engine = Object.assign(new FakeEngine(), {
    inspect: async () => ({
      ...plain,
      Config: { Env, Labels: {} },
      ImageManifestDescriptor: { digest: 'sha256:386', platform },
    }),
    image: async (_: string, asked?: Platform) => answer(asked),
  });
  return new ContainerReader(engine).read('a');
}

test('the image of its own platform is asked for', async () => {
  const container = await read((asked) => ({
    ...{ id: 'sha256:index', labels: {} },
    environment: asked?.architecture === '386' ? Env : [],
    manifest: asked?.architecture === '386' ? 'sha256:386' : 'sha256:amd64',
  }));
  expect(container.image).toEqual({ environment: Env, labels: {} });
  expect(parseWorkload(container)?.mode).toBe('enforce');
});

test('an Engine that tells of another, or does not tell of which, tells of none', async () => {
  for (const manifest of ['sha256:amd64', undefined]) {
    const container = await read(() => ({ id: 'sha256:index', labels: {}, environment: [], manifest }));
    expect(container.image).toBe('unknown');
    expect(parseWorkload(container)?.mode).toBe('enforce');
  }
});
