/** Asking for resolvers of containers that end meanwhile, and streams that break. */
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { LoadError } from '../../../../src/common/errors.ts';
import { DockerContainerSource } from '../../../../src/sources/docker/containers.ts';
import { container } from '../../../support/containers.ts';
import { eventually } from '../../../support/eventually.ts';
import { archiveOf } from './fake-archive.ts';
import { FakeEngine, httpError } from './fake-engine.ts';

const image = async () => 'helper';

const a = container('a', { dnsConfig: { servers: ['192.0.2.1'], resolvConf: undefined } });
const rejection = httpError(400, 'exec: "/dev/null/none": stat /dev/null/none: not a directory');

/** An Engine with container `a`, which shows its resolv.conf by a container of ours. */
function showing(text: string) {
  const engine = new FakeEngine();
  engine.names.set('a', 'a');
  const created: { readonly name: string; readonly body: object }[] = [];
  engine.create = async (name, body) => {
    created.push({ name, body });
    return name;
  };
  engine.start = () => Promise.reject(rejection);
  engine.archive = async () => archiveOf(text);
  engine.remove = async () => {};
  return { engine, created };
}

test('the file is read from a container of ours that shares the network, and never from the workload', async () => {
  const { engine, created } = showing('nameserver 192.0.2.1\n');
  const asked: string[] = [];
  engine.archive = async (id) => {
    asked.push(id);
    return archiveOf('nameserver 192.0.2.1\n');
  };
  expect(await new DockerContainerSource(engine, { image }).resolvers(a)).toEqual(['192.0.2.1']);
  expect(created).toMatchObject([{ body: { Image: 'helper', HostConfig: { NetworkMode: 'container:a' } } }]);
  expect(asked).toEqual(created.map(({ name }) => name));
  expect(engine.calls).toEqual([]);
});

test('where there is no helper image, ours is made of one with nothing in it, made once', async () => {
  const { engine, created } = showing('nameserver 192.0.2.1\n');
  const imported: string[] = [];
  engine.image = async (name) => (imported.includes(name) ? { id: 'sha256:1', labels: {} } : undefined);
  engine.importEmpty = async (name) => void imported.push(name);
  const missing = () => Promise.reject(httpError(404, 'no helper image'));
  const source = new DockerContainerSource(engine, { image: missing });
  await source.resolvers(a);
  await source.resolvers(a);
  expect(imported).toEqual(['egresstrator-empty:1']);
  expect(created.map(({ body }) => body)).toEqual(
    created.map(() => expect.objectContaining({ Image: 'egresstrator-empty:1' })),
  );
});

test('an Engine that refuses to start ours for another reason has shown nothing', async () => {
  const { engine } = showing('');
  const answer = httpError(409, 'cannot join network of a non running container');
  engine.start = () => Promise.reject(answer);
  await expect(new DockerContainerSource(engine, { image }).resolvers(a)).rejects.toBe(answer);
});

test('a read that hangs has an end', async () => {
  const { engine } = showing('');
  engine.archive = () => new Promise(() => {});
  const source = new DockerContainerSource(engine, { image, resolversLimit: 20 });
  await expect(source.resolvers(a)).rejects.toThrow(
    'did not answer for 0.02 s: could not read the DNS resolvers of a',
  );
});

test.each([
  ['is removed', httpError(404, 'No such container: a')],
  ['is being taken down', httpError(500, 'error processing tar file: no such file or directory')],
])('a container that %s while its resolvers are read is gone, which is no fault', async (_how, answer) => {
  const { engine } = showing('');
  engine.archive = () => {
    engine.names.clear();
    return Promise.reject(answer);
  };
  const error = await new DockerContainerSource(engine, { image })
    .resolvers(a)
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LoadError);
  expect(error).toMatchObject({ gone: true, cause: answer });
});

test('of a container that runs, or of which nothing is known, the error is told as it is', async () => {
  const { engine } = showing('');
  const answer = httpError(500, 'disk failure');
  engine.archive = () => Promise.reject(answer);
  await expect(new DockerContainerSource(engine, { image }).resolvers(a)).rejects.toBe(answer);
  engine.archive = () => {
    engine.down = true;
    return Promise.reject(answer);
  };
  await expect(new DockerContainerSource(engine, { image }).resolvers(a)).rejects.toBe(answer);
});

test('a stream of events that breaks is told in a sentence', async () => {
  const engine = new FakeEngine();
  const stream = new PassThrough();
  engine.events = async () => stream;
  const settings = { backoff: { first: 60_000, most: 60_000 } };
  const watch = new DockerContainerSource(engine, settings).watch(() => {});
  onTestFinished(() => watch.close());
  await eventually(() => expect(watch.value).toBeDefined());
  stream.destroy(new Error('aborted'));
  await eventually(() => expect(watch.error).toBeDefined());
  expect(watch.error?.message).toBe(
    'The connection to the Docker Engine at unix:///fake.sock broke: could not watch events: aborted.',
  );
});
