/** What the watch socket answers, to whom, and what it sends to those who stay. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../../../src/common/errors.ts';
import { serveApi } from '../../../../src/daemon/api/server.ts';
import { LiveSource, type StateMaker } from '../../../../src/daemon/watch/live-source.ts';
import type { WatchControls } from '../../../../src/daemon/watch/routes.ts';
import { serveWatch } from '../../../../src/daemon/watch/server.ts';
import { EMPTY_STATE, type LiveState } from '../../../../src/live/state.ts';
import { eventually } from '../../../support/eventually.ts';
import { FakeLog } from '../../../support/fakes.ts';
import { readLive } from '../../../support/live-stream.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';

const group = process.getgid?.() ?? 0;

let folder: string;
let path: string;
let state: LiveState;
let opened: number;
let closed: number;
let changed: () => void;
let server: { close(): Promise<void> };
let live: LiveSource;

const keyed = (...names: readonly string[]): LiveState => ({
  ...EMPTY_STATE,
  keys: new Map(names.map((name) => [name, { text: `# ${name}` }])),
});

const maker = (): StateMaker => ({
  next: async () => state,
  close: () => {
    closed += 1;
  },
});

/** What the API can do besides. */
const UNUSED = {
  ready: () => true,
  unreadable: () => [],
  networksErrors: () => 0,
  metrics: async () => ({ contentType: '', text: '' }),
  override: async () => ({ results: [] }),
  setPort: async () => {
    throw new Error('not asked here');
  },
};

const controlsWith = (source: LiveSource): WatchControls => ({
  status: () => ({ namespaces: [], sources: [], unsupported: [] }),
  sources: () => ({ consul: 'c', kvPath: 'egress/acl/', ingressPath: 'in/', docker: 'd' }),
  namespace: () => {
    throw new UserError('no such container');
  },
  diagnostics: diagnosticsOf(
    () => ({
      keys: { web: '10.0.0.1:tcp/80\npostgres', other: '10.0.0.0/8:tcp' },
      services: { postgres: [{ address: '10.0.0.5', port: 5432, tags: ['a'], node: 'far' }] },
      unread: ['cache'],
      namespaces: [
        { workloads: ['web'], ids: ['web'], target: 'web', grants: ['web'], mode: 'enforce', dns: 'none' },
      ],
    }),
    () => [
      {
        ...{ container: 'web', workloads: ['web'], mode: 'enforce', covers: 600_000, readAt: 7 },
        destinations: [
          { address: '10.0.0.9', protocol: 'tcp', port: 81, packets: 2, firstSeenAt: 1, lastSeenAt: 2 },
        ],
      },
    ],
  ),
  service: async (name) => ({ instances: [{ address: '10.0.0.5', port: 5432, tags: [], node: name }] }),
  live: source,
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-watch-'));
  path = join(folder, 'watch', 'watch.sock');
  [state, opened, closed] = [keyed('web'), 0, 0];
  live = new LiveSource({
    ...{ now: Date.now, log: new FakeLog(), coalesce: 1, interval: 60_000 },
    open: (onChange) => {
      opened += 1;
      changed = onChange;
      return maker();
    },
  });
  server = await serveWatch({ path, group }, controlsWith(live));
});
afterEach(async () => {
  live.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const send = (
  url: string,
  method = 'GET',
  socketPath = path,
): Promise<readonly [number | undefined, string]> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath, path: url, method }, (response) => {
      text(response).then((body) => resolve([response.statusCode, body]), reject);
    });
    call.on('error', reject);
    call.end();
  });

const modeOf = (file: string) => statSync(file).mode & 0o777;

test('the socket and its folder are for the group alone', () => {
  expect([modeOf(path), statSync(path).gid]).toEqual([0o660, group]);
  expect([modeOf(join(folder, 'watch')), statSync(join(folder, 'watch')).gid]).toEqual([0o750, group]);
});

test('a folder that holds something else keeps its mode', async () => {
  const other = join(folder, 'other');
  mkdirSync(other, { mode: 0o700 });
  writeFileSync(join(other, 'api.sock'), '');
  const second = await serveWatch({ path: join(other, 'watch.sock'), group }, controlsWith(live));
  expect([modeOf(other), modeOf(join(other, 'watch.sock'))]).toEqual([0o700, 0o660]);
  await second.close();
});

/** As a crash leaves it. */
async function leftSocket(): Promise<string> {
  const [first, left] = [join(folder, 'first.sock'), join(folder, 'left.sock')];
  const dead = createServer().listen(first);
  await new Promise((resolve) => dead.once('listening', resolve));
  // Closing removes the file by its first name.
  renameSync(first, left);
  await new Promise((resolve) => dead.close(resolve));
  return left;
}

test('a file at its path stays, and the controller says so', async () => {
  const file = join(folder, 'notes.txt');
  writeFileSync(file, 'mine');
  symlinkSync(file, join(folder, 'link'));
  for (const wrong of [file, join(folder, 'link')])
    await expect(serveWatch({ path: wrong, group }, controlsWith(live))).rejects.toThrow(
      /it is there already, and is no socket.*--watch-socket/,
    );
  await expect(serveApi(file, { ...controlsWith(live), ...UNUSED })).rejects.toThrow(
    /is no socket.*--socket/,
  );
  expect([readFileSync(file, 'utf8'), lstatSync(join(folder, 'link')).isSymbolicLink()]).toEqual([
    'mine',
    true,
  ]);
});

test.each([
  ['everybody may write to', 0o777],
  ['everybody may replace by its folder', 0o755],
])('no folder that %s is used', async (_how, mode) => {
  const [outer, inner] = [join(folder, 'outer'), join(folder, 'outer', 'inner')];
  mkdirSync(inner, { recursive: true });
  chmodSync(inner, mode);
  chmodSync(outer, 0o777);
  const wrong = { path: join(inner, 'watch.sock'), group };
  await expect(serveWatch(wrong, controlsWith(live))).rejects.toThrow(
    /another user could replace what is in/,
  );
  expect([modeOf(inner), existsSync(wrong.path)]).toEqual([mode, false]);
});

test('a folder as /tmp is used, and keeps its mode', async () => {
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const second = await serveWatch({ path: join(shared, 'watch.sock'), group }, controlsWith(live));
  expect(statSync(shared).mode & 0o7777).toBe(0o1777);
  await second.close();
});

test('a socket that answers is left, one that a crash has left is replaced', async () => {
  await expect(serveWatch({ path, group }, controlsWith(live))).rejects.toThrow(/another controller answers/);
  const left = await leftSocket();
  const second = await serveWatch({ path: left, group }, controlsWith(live));
  expect(statSync(left).isSocket()).toBe(true);
  await second.close();
});

test.each([
  ...[
    '/v1/status',
    '/v1/denied',
    '/v1/denied?container=web',
    '/v1/explain?container=web&target=10.0.0.9',
    '/v1/explain?container=web&target=10.0.0.1',
    '/v1/suggest',
    '/v1/lint',
  ],
  ...['/v1/namespace?container=web', '/v1/keys', '/v1/denied-in', '/v1/suggest-in', '/v1/host'],
  ...['/v1/explain-in?container=web&source=10.0.0.1&traffic=tcp/80', '/v1/host/rules', '/v1/sources'],
  ...[
    '/v1/lint?key=web',
    '/v1/suggest?key=web',
    '/v1/explain?container=nobody&target=10.0.0.1',
    '/v1/explain',
  ],
])('answers GET %s as the API does', async (url) => {
  const api = await serveApi(join(folder, 'api.sock'), { ...controlsWith(live), ...UNUSED });
  try {
    const [status, body] = await send(url);
    const [apiStatus, apiBody] = await send(url, 'GET', join(folder, 'api.sock'));
    expect(status).toBe(apiStatus);
    if (status === 200) expect(JSON.parse(body)).toEqual(JSON.parse(apiBody));
    else expect(JSON.parse(body)).toEqual({ error: expect.stringMatching(/./) });
  } finally {
    await api.close();
  }
});

test.each(['POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'])('does not answer %s', async (method) => {
  for (const url of ['/v1/overrides', '/v1/ports', '/v1/diff', '/v1/status', '/v1/live', '/nothing'])
    expect((await send(url, method))[0], url).toBe(405);
});

test('tells the instances of a service', async () => {
  expect(await send('/v1/services?name=postgres')).toEqual([
    200,
    '{"instances":[{"address":"10.0.0.5","port":5432,"tags":[],"node":"postgres"}]}',
  ]);
  expect((await send('/v1/services'))[0]).toBe(400);
});

test('a reader gets all of it, then what changes', async () => {
  expect(opened).toBe(0);
  const reader = readLive(path);
  await reader.until(({ keys }) => keys.has('web'));
  expect([reader.status, reader.events]).toEqual([200, ['snapshot']]);
  state = keyed('web', '__proto__');
  changed();
  await reader.until(({ keys }) => keys.get('__proto__')?.text === '# __proto__');
  expect(reader.events).toEqual(['snapshot', 'changes']);
  state = keyed('__proto__');
  changed();
  await reader.until(({ keys }) => keys.size === 1);
  reader.close();
});

test('what is watched ends with the last reader, and begins anew with the next', async () => {
  const [one, other] = [readLive(path), readLive(path)];
  await one.until(({ keys }) => keys.has('web'));
  await other.until(({ keys }) => keys.has('web'));
  one.close();
  await eventually(() => expect(one.isOpen).toBe(false));
  expect([opened, closed]).toEqual([1, 0]);
  other.close();
  await eventually(() => expect(closed).toBe(1));
  state = keyed('later');
  const next = readLive(path);
  await next.until(({ keys }) => keys.has('later'));
  expect(opened).toBe(2);
  next.close();
});

test('a reader that takes nothing costs nothing, and gets all of it anew when it reads', async () => {
  const socket = connect(path);
  socket.pause();
  socket.write('GET /v1/live HTTP/1.1\r\nHost: page\r\n\r\n');
  await eventually(() => expect(opened).toBe(1));
  const reader = readLive(path);
  const wide = 'x'.repeat(1_000_000);
  for (let round = 0; round < 12; round += 1) {
    state = { ...EMPTY_STATE, keys: new Map([['wide', { text: `${round} ${wide}` }]]) };
    changed();
    await reader.until(({ keys }) => keys.get('wide')?.text.startsWith(`${round} `));
  }
  const read: Buffer[] = [];
  socket.on('data', (piece: Buffer) => read.push(piece));
  socket.resume();
  await eventually(() => expect(Buffer.concat(read).toString()).toContain('"11 xxx'));
  const sent = Buffer.concat(read).toString();
  expect(sent.length).toBeLessThan(5_000_000);
  expect(sent.match(/event: snapshot/g)?.length).toBeGreaterThan(1);
  socket.destroy();
  reader.close();
});

test('streams are limited', async () => {
  const readers = Array.from({ length: 8 }, () => readLive(path));
  for (const one of readers) await one.until(({ keys }) => keys.has('web'));
  expect((await send('/v1/live'))[0]).toBe(503);
  for (const one of readers) one.close();
});
