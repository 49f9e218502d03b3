/** Reading from containers that end meanwhile, and from streams that break. */
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DockerContainerSource } from '../../../../src/adapters/docker/containers.ts';
import { LoadError } from '../../../../src/domain/errors.ts';
import { FakeEngine, refusal } from './fake-engine.ts';

test.each([
  ['is removed', refusal(404, 'No such container: a')],
  ['is being taken down', refusal(500, 'error processing tar file: no such file or directory')],
])('a container that %s while its resolvers are read is gone, which is no fault', async (_how, answer) => {
  const engine = new FakeEngine();
  engine.names.set('a', 'a');
  engine.archive = () => {
    engine.names.clear();
    return Promise.reject(answer);
  };
  const error = await new DockerContainerSource(engine).resolvers('a').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(LoadError);
  expect(error).toMatchObject({ gone: true, cause: answer });
});

test('of a container that runs, or of which nothing is known, the error is told as it is', async () => {
  const engine = new FakeEngine();
  const answer = refusal(500, 'disk failure');
  engine.archive = () => Promise.reject(answer);
  engine.names.set('a', 'a');
  await expect(new DockerContainerSource(engine).resolvers('a')).rejects.toBe(answer);
  engine.archive = () => {
    engine.down = true;
    return Promise.reject(answer);
  };
  await expect(new DockerContainerSource(engine).resolvers('a')).rejects.toBe(answer);
});

test('a stream of events that breaks is told in a sentence', async () => {
  const engine = new FakeEngine();
  const stream = new PassThrough();
  engine.events = async () => stream;
  const settings = { backoff: { first: 60_000, most: 60_000 } };
  const watch = new DockerContainerSource(engine, settings).watch(() => {});
  onTestFinished(() => watch.close());
  await vi.waitFor(() => expect(watch.value).toBeDefined());
  stream.destroy(new Error('aborted'));
  await vi.waitFor(() => expect(watch.error).toBeDefined());
  expect(watch.error?.message).toBe(
    'The connection to the Docker Engine at unix:///fake.sock broke: could not watch events: aborted.',
  );
});
