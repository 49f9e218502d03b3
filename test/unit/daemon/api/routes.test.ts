/** What the two listeners of the API answer, and what they refuse. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../../../lab/ports.ts';
import { UserError } from '../../../../src/common/errors.ts';
import { serveWatchers } from '../../../../src/daemon/api/listen.ts';
import { type ApiServer, type Controls, serveApi } from '../../../../src/daemon/api/server.ts';
import type { Status } from '../../../../src/daemon/status.ts';
import { diagnosticsOf } from '../../../support/snapshot.ts';

const [PORT = 0] = await freePorts(1);

const EMPTY: Status = { namespaces: [], sources: [], unsupported: [] };
let state = EMPTY;
let unreadable: readonly string[] = [];
let networksErrors = 0;

const controls: Controls = {
  status: () => state,
  ready: () => false,
  unreadable: () => unreadable,
  networksErrors: () => networksErrors,
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'a 1\n' }),
  override: async () => ({ results: [] }),
  setPort: async ({ container, protocol, port }) => ({
    ...{ container, protocol, port, state: 'loaded', openings: [] },
  }),
  sources: () => ({
    consul: '127.0.0.1:8500',
    kvPath: 'egress/acl/',
    ingressPath: 'in/',
    docker: '/var/run/docker.sock',
  }),
  namespace: (container) => {
    throw new UserError(`no container "${container}"`);
  },
  diagnostics: diagnosticsOf(
    () => ({ keys: { 'the-key': 'a line' }, unread: ['pg'] }),
    (container) => {
      throw new UserError(`there is no running container "${container}"`);
    },
  ),
};

let folder: string;
let api: ApiServer;
let watchers: { close(): Promise<void> };
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egresstrator-api-'));
  api = await serveApi(join(folder, 'api.sock'), controls);
  watchers = await serveWatchers({ host: '127.0.0.1', port: PORT }, controls, ['watched.example']);
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
    expect(await get('/v1/status')).toEqual([200, '{"namespaces":[],"sources":[],"unsupported":[]}']);
    expect(await get('/healthz')).toEqual([200, '{"ok":true}']);
    expect((await get('/readyz'))[0]).toBe(503);
    expect(await get('/metrics')).toEqual([200, 'a 1\n']);
  });

  test('names containers that the Engine cannot inspect, and is healthy all the same', async () => {
    unreadable = ['web'];
    expect(await get('/healthz')).toEqual([200, '{"ok":true,"unreadable":["web"]}']);
    unreadable = [];
    networksErrors = 2;
    expect(await get('/healthz')).toEqual([200, '{"ok":true,"networksErrors":2}']);
    networksErrors = 0;
  });
});

test.each([
  ...[['denied'], ['suggest'], ['explain?container=web&target=10.0.0.1'], ['lint'], ['keys']],
  ...[['namespace?container=web'], ['sources'], ['diff', 'POST'], ['overrides', 'POST']],
  ...[['host'], ['explain-in?container=web&source=10.0.0.1&traffic=tcp/80'], ['ports', 'POST']],
])('only the socket serves /v1/%s', async (path, method) => {
  expect((await remote(`/v1/${path}`, method))[0]).toBe(404);
  expect((await local(`/v1/${path}`, method))[0]).not.toBe(404);
});

test('the socket tells rules', async () => {
  const [status, body] = await local('/v1/lint?key=the-key');
  expect([status, JSON.parse(body)]).toMatchObject([
    200,
    { findings: expect.arrayContaining([expect.objectContaining({ text: 'a line' })]), unread: ['pg'] },
  ]);
});

test('what is asked wrongly is answered with a sentence', async () => {
  expect(await local('/v1/denied?container=nobody')).toEqual([
    400,
    '{"error":"there is no running container \\"nobody\\""}',
  ]);
  const [status, body] = await local('/v1/explain?container=web');
  expect([status, body]).toEqual([400, expect.stringContaining("must have required property 'target'")]);
});

test('an address that is taken is told by name', async () => {
  await expect(serveWatchers({ host: '127.0.0.1', port: PORT }, controls)).rejects.toThrow(
    new RegExp(`^127.0.0.1:${PORT} cannot be used .* choose another by --listen$`),
  );
});

/** Sends bytes as they are, and resolves with all that comes back until the other side ends. */
function sendRaw(bytes: string, { end = true } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(PORT, '127.0.0.1');
    text(socket).then(resolve, reject);
    socket.on('error', reject);
    socket.write(bytes);
    if (end) socket.end();
  });
}

const called = async (...headers: readonly string[]): Promise<string> => {
  const lines = ['GET /v1/status HTTP/1.1', ...headers, 'Connection: close'];
  return (await sendRaw(`${lines.join('\r\n')}\r\n\r\n`)).slice(9, 12);
};

describe('the address is answered', () => {
  test.each([
    ...[
      '127.0.0.1',
      `127.0.0.1:${PORT}`,
      '10.1.2.3:80',
      '[::1]',
      `[fd00::1]:${PORT}`,
      'localhost',
      'LOCALHOST:80',
    ],
    ...['localhost.', 'watched.example', 'Watched.Example.:9464'],
  ])('by the name %s', async (host) => {
    expect(await called(`Host: ${host}`)).toBe('200');
  });

  test.each([
    'rebound.example',
    `rebound.example:${PORT}`,
    'localhost.example',
    '127.0.0.1.example',
    '2130706433',
  ])('but not by %s, as a page of a browser would that has its name point here', async (host) => {
    expect(await called(`Host: ${host}`, 'Origin: http://rebound.example')).toBe('421');
  });

  test.each([
    [[]],
    [['Host: 127.0.0.1', 'Host: rebound.example']],
    [['Host: rebound.example', 'host: 127.0.0.1']],
    [['Host: 127.0.0.1, rebound.example']],
    [['Host: user@127.0.0.1']],
    [['Host: []']],
    [['Host:']],
  ])('and not where it is not called by one name: %j', async (headers) => {
    expect(await called(...headers)).toBe('400');
  });

  test('and the same holds for what is not there, and for other methods', async () => {
    for (const line of [
      'GET /nothing',
      'HEAD /v1/status',
      'OPTIONS /metrics',
      'GET /metrics',
      'GET /healthz',
    ])
      expect(await sendRaw(`${line} HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 421 /,
      );
  });

  test('with nothing that a browser would give to another page or keep', async () => {
    const answer = await sendRaw(
      'GET /v1/status HTTP/1.1\r\nHost: localhost\r\nOrigin: http://a\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(answer).toMatch(/^cache-control: no-store\r$/im);
    expect(answer).not.toMatch(/access-control-/i);
  });
});

test('who asks too much, or never gets to the end of it, is sent away', async () => {
  const long = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(await sendRaw(long)).toMatch(/^HTTP\/1\.1 431 /);
  const slow = await sendRaw('GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX: ', { end: false });
  expect(slow).toMatch(/^HTTP\/1\.1 408 |^$/);
}, 20_000);

test('the address tells where problems are, and no text of a rule; the socket lists all', async () => {
  const secret = '10.99.98.97:tcp/4242';
  const problem = { severity: 'error', key: 'db', line: 3, text: secret, reason: `got "${secret}"` } as const;
  state = {
    namespaces: [
      {
        ...{ id: 'a@1', workloads: ['web'], target: 'web', state: 'failed', grants: ['db'], mode: 'enforce' },
        ...{ dns: 'resolvers', hasRawSockets: false, fingerprint: 'f', verifiedAt: 1, problems: [problem] },
        lastError: `nft: ${secret}`,
      },
    ],
    sources: [{ name: 'rules', known: true, confirmedAt: 1, error: `Consul: ${secret}` }],
    unsupported: [{ name: 'host', problem }],
  };
  try {
    expect((await local('/v1/status'))[1]).toContain(secret);
    const [status, body] = await remote('/v1/status');
    expect(status).toBe(200);
    expect(body).not.toContain('4242');
    expect(JSON.parse(body)).toMatchObject({
      namespaces: [{ target: 'web', state: 'failed', problems: [{ severity: 'error', key: 'db', line: 3 }] }],
    });
  } finally {
    state = EMPTY;
  }
});
