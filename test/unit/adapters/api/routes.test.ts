/** What the two listeners of the API answer, and what they refuse. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveWatchers } from '../../../../src/adapters/api/listen.ts';
import { type ApiServer, type Controls, serveApi } from '../../../../src/adapters/api/server.ts';
import { UserError } from '../../../../src/domain/errors.ts';

const PORT = 19_473;

const controls: Controls = {
  status: () => ({ namespaces: [], sources: [], refused: [] }),
  ready: () => false,
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'a 1\n' }),
  override: async () => ({ results: [] }),
  picture: async ({ scope, also }) => ({
    ...{ places: [], rules: [{ key: scope, text: also ?? '' }], services: [], unread: [] },
    ...{ protectedHosts: [], denylist: false, recordsRefusals: true },
  }),
  refusals: async ({ container }) => {
    throw new UserError(`no running container is called "${container}"`);
  },
};

let folder: string;
let api: ApiServer;
let watchers: { close(): Promise<void> };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-api-'));
  api = await serveApi(join(folder, 'api.sock'), controls);
  watchers = await serveWatchers({ host: '127.0.0.1', port: PORT }, controls);
});
afterAll(async () => {
  await watchers.close();
  await api.close();
  rmSync(folder, { recursive: true, force: true });
});

const send = (where: object, path: string, method = 'GET'): Promise<readonly [number | undefined, string]> =>
  new Promise((resolve, reject) => {
    const call = request({ ...where, path, method }, (response) => {
      text(response).then((body) => resolve([response.statusCode, body]), reject);
    });
    call.on('error', reject);
    call.end();
  });
const local = (path: string, method?: string) => send({ socketPath: join(folder, 'api.sock') }, path, method);
const remote = (path: string, method?: string) => send({ host: '127.0.0.1', port: PORT }, path, method);

test('the socket is its owner’s alone', () => {
  expect(statSync(join(folder, 'api.sock')).mode & 0o777).toBe(0o600);
});

describe.each([
  ['the socket', local],
  ['the address', remote],
])('%s', (_name, get) => {
  test('serves state, health and metrics', async () => {
    expect(await get('/v1/status')).toEqual([200, '{"namespaces":[],"sources":[],"refused":[]}']);
    expect(await get('/healthz')).toEqual([200, '{"ok":true}']);
    expect((await get('/readyz'))[0]).toBe(503);
    expect(await get('/metrics')).toEqual([200, 'a 1\n']);
  });
});

test('only the socket tells rules and refusals, and takes orders', async () => {
  for (const [path, method] of [['/v1/picture'], ['/v1/refusals'], ['/v1/overrides', 'POST']] as const)
    expect((await remote(path, method))[0]).toBe(404);
  expect(await local('/v1/picture?also=a,b')).toMatchObject([
    200,
    expect.stringContaining('{"key":"named","text":"a,b"}'),
  ]);
});

test('what is asked wrongly is answered with a sentence', async () => {
  expect(await local('/v1/refusals?container=nobody')).toEqual([
    400,
    '{"error":"no running container is called \\"nobody\\""}',
  ]);
  const [status, body] = await local('/v1/picture?scope=everything');
  expect([status, body]).toEqual([400, expect.stringContaining('scope must be')]);
});

test('an address that is taken is told by name', async () => {
  await expect(serveWatchers({ host: '127.0.0.1', port: PORT }, controls)).rejects.toThrow(
    /^127\.0\.0\.1:19473 can not be listened at .* choose another by --listen$/,
  );
});
