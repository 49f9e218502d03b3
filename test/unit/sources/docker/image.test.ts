/** Which image helpers are made of, and the one sentence where there is none. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { helperImage, helperLabel, helperVersion } from '../../../../src/sources/docker/image.ts';
import { FakeEngine, httpError } from './fake-engine.ts';

const id = 'ab'.repeat(32);
const mountsOf = (container: string) =>
  `612 600 254:0 /data/containers/${container}/resolv.conf /etc/resolv.conf rw - ext4 /dev/vda rw\n`;

/** An Engine with these images (name → labels) on which we run as container `id` of image `own`. */
function engineWith(images: Readonly<Record<string, Record<string, string>>>, running = [id]) {
  const engine = new FakeEngine();
  for (const each of running) engine.names.set(each, 'controller');
  engine.image = async (name) => {
    const labels = images[name];
    return labels && { id: name, labels };
  };
  return engine;
}

const ask = (engine: FakeEngine, files: Readonly<Record<string, string>> = {}, named?: string) =>
  helperImage(engine, { named, version: '1.2.3', readText: async (path) => files[path] })();

const own = 'sha256:0';

test('the one that was named, and no other', async () => {
  const engine = engineWith({ mine: {}, 'egresstrator-helper:1.2.3': {} });
  expect(await ask(engine, {}, 'mine')).toBe('mine');
});

test('one that was named is pulled if it is absent', async () => {
  const images: Record<string, Record<string, string>> = {};
  const engine = engineWith(images);
  const pulled: string[] = [];
  engine.pull = async (name) => void pulled.push(name);
  expect(await ask(engine, {}, 'mine')).toBe('mine');
  expect(pulled).toEqual(['mine']);
});

test('one that was named and cannot be pulled: how to build it', async () => {
  const engine = engineWith({});
  engine.pull = async () => {
    throw httpError(404, 'pull access denied for mine');
  };
  await expect(ask(engine, {}, 'mine')).rejects.toThrow(
    /no helper image mine and cannot pull it: build it with `docker build --target helper -t mine \.`, .*pull access denied/,
  );
});

test.each([
  ['its files are mounted from a folder of its id', { '/proc/self/mountinfo': mountsOf(id) }],
  ['its host name is the start of its id', { '/etc/hostname': `${id.slice(0, 12)}\n` }],
])('our own image in a container, where %s', async (_, files) => {
  const engine = engineWith({ [own]: { [helperLabel]: helperVersion }, 'egresstrator-helper:1.2.3': {} });
  expect(await ask(engine, files)).toBe(own);
});

test.each([
  ['an image without our label', { [own]: {} }, [id], { '/etc/hostname': id }],
  ['an image of another version', { [own]: { [helperLabel]: '4' } }, [id], { '/etc/hostname': id }],
  ['a container of another Engine', { [own]: { [helperLabel]: helperVersion } }, [], { '/etc/hostname': id }],
  [
    'a host called like a container',
    { [own]: { [helperLabel]: helperVersion } },
    [id],
    { '/etc/hostname': 'db' },
  ],
  ['no container at all', { [own]: { [helperLabel]: helperVersion } }, [id], {}],
])('not %s', async (_, images, running, files: Record<string, string>) => {
  expect(await ask(engineWith({ ...images, 'egresstrator-helper:1.2.3': {} }, running), files)).toBe(
    'egresstrator-helper:1.2.3',
  );
});

test.each([
  ['that was named', 'mine', 'mine'],
  ['that we look for', undefined, 'egresstrator-helper:1.2.3'],
])('one %s and is of another version: how to build it', async (_, named, image) => {
  const engine = engineWith({ [image]: { [helperLabel]: '4' } });
  await expect(ask(engine, {}, named)).rejects.toThrow(
    `The helper image ${image} is of another version of egresstrator (protocol 4, and this is ${helperVersion}): build it anew with`,
  );
});

test('the version is that of the program, and what the Dockerfile says', () => {
  const checkout = new URL('../../../..', import.meta.url);
  const read = (name: string) => readFileSync(new URL(name, checkout), 'utf8');
  expect(read('dataplane/netns')).toContain(`echo 'netns ${helperVersion}'`);
  expect(read('Dockerfile')).toContain(`LABEL ${helperLabel}="${helperVersion}"`);
});

test('none: how to build it, and it is looked for again', async () => {
  const images: Record<string, Record<string, string>> = {};
  const look = helperImage(engineWith(images), { version: '1.2.3', readText: async () => undefined });
  await expect(look()).rejects.toThrow('`docker build --target helper -t egresstrator-helper:1.2.3 .`');
  images['egresstrator-helper:1.2.3'] = {};
  expect(await look()).toBe('egresstrator-helper:1.2.3');
  delete images['egresstrator-helper:1.2.3'];
  expect(await look()).toBe('egresstrator-helper:1.2.3');
  look.forget?.();
  await expect(look()).rejects.toThrow('docker build');
});
