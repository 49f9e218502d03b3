/** An Engine that is not there, is silent, breaks off, or says what nobody expects: one sentence each. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { EngineError } from '../../../../src/common/errors.ts';
import { connect } from '../../../../src/sources/docker/connect.ts';
import { engineError } from '../../../../src/sources/docker/errors.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'egresstrator-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function engineThat(answers: RequestListener, limit = 300) {
  const socketPath = join(temporaryFolder(), 'docker.sock');
  const server = createServer(answers).listen(socketPath);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return connect({ socketPath }, limit);
}

const failureOf = async (work: Promise<unknown>): Promise<EngineError> => {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof EngineError) return error;
  throw new Error(`expected an EngineError, got ${error}`);
};

test('the socket is missing', async () => {
  const socketPath = join(temporaryFolder(), 'docker.sock');
  const { message } = await failureOf(connect({ socketPath }).running());
  expect(message).toBe(
    `There is no Docker Engine at unix://${socketPath}: the socket is missing; start the Engine, mount its socket, or set DOCKER_HOST (could not list the containers).`,
  );
});

test('nobody listens', async () => {
  const socketPath = join(temporaryFolder(), 'docker.sock');
  writeFileSync(socketPath, '');
  expect((await failureOf(connect({ socketPath }).running())).message).toContain('Nothing answers at');
  expect((await failureOf(connect({ host: 'tcp://127.0.0.1:9' }).running())).message).toContain(
    'Nothing answers at tcp://127.0.0.1:9',
  );
});

test('permission denied', () => {
  const denied = Object.assign(new Error('connect EACCES /run/d.sock'), { code: 'EACCES' });
  expect(engineError(denied, 'list the containers', 'unix:///run/d.sock').message).toMatch(
    /^Permission denied at unix:\/\/\/run\/d\.sock: run as root or as a member of the group/,
  );
});

test("a socket's path wins over DOCKER_HOST in the environment", async () => {
  vi.stubEnv('DOCKER_HOST', 'tcp://127.0.0.1:9');
  onTestFinished(() => void vi.unstubAllEnvs());
  const engine = await engineThat((_, response) => response.end('[]'));
  expect(await engine.running()).toEqual([]);
});

test('it refuses: its own words, and the status', async () => {
  const engine = await engineThat((_, response) => {
    response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"message":"layer not known\\n"}');
  });
  const failure = await failureOf(engine.inspect('c1'));
  expect(failure).toMatchObject({ status: 500, detail: 'layer not known' });
  expect(failure.message).toBe('The Docker Engine could not inspect container c1: layer not known');
});

test('it is silent', async () => {
  const engine = await engineThat(() => {});
  expect((await failureOf(engine.inspect('c1'))).message).toBe(
    'The Docker Engine did not answer for 0.3 s: could not inspect container c1.',
  );
});

test('it breaks off before, or within, its answer', async () => {
  const before = await engineThat(({ socket }) => socket.destroy());
  expect((await failureOf(before.inspect('c1'))).message).toContain('broke: could not inspect container c1');
  const within = await engineThat((_, response) => {
    response.writeHead(200, { 'Content-Length': 100 }).write('{');
    setTimeout(() => response.destroy(), 20);
  });
  // The client library would never answer here.
  expect(await failureOf(within.inspect('c1'))).toBeDefined();
});

test.each([['{}'], ['hello'], ['[{"Id":1}]']])('an answer that is no list: %s', async (body) => {
  const engine = await engineThat((_, response) => response.end(body));
  expect((await failureOf(engine.running())).message).toContain(
    "The Docker Engine's answer cannot be read: could not list the containers",
  );
});

test('an id goes nowhere but to where ids belong', async () => {
  const asked: string[] = [];
  const engine = await engineThat(({ url }, response) => {
    asked.push(url ?? '');
    response.end('{}');
  });
  await engine.inspect('web_1.a-b');
  for (const id of ['../images', 'a/b', 'a?b', '', '.', '-x']) await failureOf(engine.inspect(id));
  for (const name of ['../x', 'a//b', '/a', 'a/../b', 'a?b', ''])
    expect(await engine.image(name)).toBeUndefined();
  expect(asked).toEqual(['/containers/web_1.a-b/json']);
});

test('a body is not sent as a query too', async () => {
  const asked: string[] = [];
  const engine = await engineThat((request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    response.writeHead(201).end('{"Id":"c1"}');
  });
  expect(await engine.create('helper', { Image: 'i', Env: ['A=b'] })).toBe('c1');
  expect(asked).toEqual(['/containers/create?name=helper']);
});

test('a pull that fails half-way', async () => {
  const engine = await engineThat((_, response) => {
    response.write('{"status":"Pulling"}\n');
    response.end('{"errorDetail":{"message":"denied"},"error":"denied"}\n');
  });
  expect((await failureOf(engine.pull('mine:1'))).message).toContain('could not pull mine:1: denied');
});

test('to remove what is gone, or going, is fine', async () => {
  const answers = [
    [404, 'No such container: c1'],
    [409, 'removal of container c1 is already in progress'],
    [409, 'cannot kill container'],
  ] as const;
  const left = [...answers];
  const engine = await engineThat((_, response) => {
    const [status, message] = left.shift() ?? [500, 'once too often'];
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
  });
  await engine.remove('c1');
  await engine.remove('c1');
  expect((await failureOf(engine.remove('c1'))).message).toContain('cannot kill container');
});
