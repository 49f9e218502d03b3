/**
 * However an address is written, what it leads to is what the login and the check of other sites protect.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../../lab/ports.ts';
import { servePage } from '../../../src/page-server/serve-page.ts';
import { pageFolder } from '../../support/page-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-page-'));
const resources = new AsyncDisposableStack();
let port: number;

beforeAll(async () => {
  [port = 0] = await freePorts(1);
  const config = {
    ...{ watchSocket: join(folder, 'watch.sock'), listen: { host: '127.0.0.1', port }, hosts: [] },
    ...{ tokenFile: undefined, cert: undefined, key: undefined, isPublishedOnLoopback: false },
  };
  const silent = { print: () => undefined, report: () => undefined };
  await servePage({ config, assets: pageFolder(folder), version: '1.0.0', ...silent }, resources);
});
afterAll(async () => {
  await resources.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

/** `path` is sent as it is. */
const statusOf = (
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request({ port, path, headers: { accept: 'text/html', ...headers } }, (response) => {
      response.destroy();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });

const PRIVATE = [
  '/live',
  '/%6cive',
  '/%6Cive?x',
  '/live?',
  '/api/status',
  '/%61pi/status',
  '/ap%69/%73tatus?a=b',
];

test.each(PRIVATE)('%s needs a login, also as an address with a host', async (path) => {
  expect(await statusOf(path)).toBe(401);
  expect(await statusOf(`http://127.0.0.1:${port}${path}`)).toBe(401);
});

test.each(PRIVATE)('%s is not opened by a link on another site', async (path) => {
  const headers = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  expect(await statusOf(path, headers)).toBe(403);
  expect(await statusOf('/', headers)).toBe(200);
});

test.each(['//live', '/live;x', '/LIVE', '/x/../live', '/live/', '/api%2fstatus', '/%2flive'])(
  '%s is no way around it',
  async (path) => {
    expect([401, 404]).toContain(await statusOf(path, { accept: 'text/event-stream' }));
  },
);
