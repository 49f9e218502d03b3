/**
 * What no real Consul can be made to say: garbage, half answers, silence, the headers of later
 * versions. A stub stands in for it, over real sockets.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConsulError } from '../../src/common/errors.ts';
import type { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { openSource, pg, recordRules, until } from './consul-support.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let source: ConsulRuleSource;
let handler: Handler;
let requests: IncomingMessage[];
let sockets: Set<Socket>;

beforeEach(async () => {
  requests = [];
  sockets = new Set();
  server = createServer(handle);
  server.on('connection', (socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  source = openSource({ address: `127.0.0.1:${port()}`, token: 's3cret' });
});

afterEach(() => {
  source.close();
  server.close();
  server.closeAllConnections();
});

const handle: Handler = (request, response) => {
  requests.push(request);
  if (request.url?.startsWith('/v1/internal/acl/authorize')) send(response, 401, 'ACL support disabled');
  else handler(request, response);
};

const port = (): number => (server.address() as AddressInfo).port;

function send(response: ServerResponse, status: number, body: string, headers: object = {}): void {
  const index = { 'X-Consul-Index': '10', 'X-Consul-Knownleader': 'true', 'X-Consul-Lastcontact': '0' };
  const type = body.startsWith('[') ? 'application/json' : 'text/plain; charset=utf-8';
  response.writeHead(status, { 'Content-Type': type, ...index, ...headers });
  response.end(body);
}

const list = (...keys: string[]): string =>
  JSON.stringify(keys.map((key) => ({ Key: `egress/acl/${key}`, Value: 'eA==' })));
const blocks = ({ url }: IncomingMessage): boolean => url?.includes('index=') ?? false;
/** Answers at once, but never a blocking query. */
const still =
  (body: string, headers: object = {}): Handler =>
  (request, response) => {
    if (!blocks(request)) send(response, 200, body, headers);
  };

describe('reading once', () => {
  test.each([
    ['no JSON', 'garbage', 'is not a valid answer of Consul (it is not JSON)'],
    ['a list of nothing', '[null]', 'is not a valid answer of Consul (at 0'],
    ['a list of numbers', '[1, 2]', 'is not a valid answer of Consul (at 0'],
    ['an object that poses', '[{"hasOwnProperty": 1}]', 'is not a valid answer of Consul (at 0.Key'],
    ['keys of another folder', '[{"Key": "x", "Value": null}]', 'it holds "x"'],
    ['an unclosed list', '[{"Key":', 'is not a valid answer of Consul (it is not JSON)'],
  ])('a body that is %s is an error', async (_name, body, message) => {
    handler = still(body);
    await expect(source.readRules()).rejects.toThrow(ConsulError);
    await expect(source.readRules()).rejects.toThrow(message);
    await expect(source.readService(pg)).rejects.toThrow('is not a valid answer of Consul');
  });

  test('an answer without an index is not Consul’s', async () => {
    handler = (_request, response) => response.writeHead(200).end('[]');
    await expect(source.readRules()).rejects.toThrow(
      /^Consul at 127\.0\.0\.1:\d+ answered for the rules below egress\/acl\/ without X-Consul-Index/,
    );
    handler = (_request, response) => response.writeHead(404).end('not here');
    await expect(source.readRules()).rejects.toThrow('without X-Consul-Index');
  });

  test('a redirect is not followed', async () => {
    handler = (_request, response) => send(response, 301, 'moved', { Location: '/elsewhere' });
    await expect(source.readRules()).rejects.toThrow('answered 301 (moved)');
  });

  test('an answer that was filtered by ACLs is an error, full or empty', async () => {
    for (const body of ['[]', list('db')]) {
      handler = still(body, { 'X-Consul-Results-Filtered-By-ACLs': 'true' });
      await expect(source.readRules()).rejects.toThrow('hides a part of the rules below egress/acl/');
    }
    await expect(source.readService(pg)).rejects.toThrow('hides a part of service pg from the token');
  });

  test('a connection that is reset before the answer', async () => {
    handler = (request) => request.socket.resetAndDestroy();
    await expect(source.readRules()).rejects.toThrow('closed the connection before its answer was complete');
  });

  test('a connection that breaks in the middle of the answer fails at once', async () => {
    handler = (request, response) => {
      response.writeHead(200, { 'Content-Length': 100, 'X-Consul-Index': '1' });
      response.write('[');
      setTimeout(() => request.socket.destroy(), 20);
    };
    const from = performance.now();
    await expect(source.readRules()).rejects.toThrow('closed the connection before its answer was complete');
    expect(performance.now() - from).toBeLessThan(5_000);
  });

  test('an answer that drips in too slowly ends at the timeout', async () => {
    handler = (_request, response) => {
      response.writeHead(200, { 'X-Consul-Index': '1' });
      const drip = setInterval(() => response.write(' '), 50);
      response.on('close', () => clearInterval(drip));
    };
    const from = performance.now();
    await expect(source.readRules()).rejects.toThrow('did not answer in time');
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  test('a plain text where TLS is expected', async () => {
    const secure = openSource({ address: `https://127.0.0.1:${port()}` });
    await expect(secure.readRules()).rejects.toThrow('if it speaks plain HTTP there, drop --ssl or https://');
    secure.close();
  });

  test('nobody at the address', async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    await expect(source.readRules()).rejects.toThrow(
      'refuses the connection, asked for the rules below egress/acl/: start',
    );
  });

  test('no socket at the path', async () => {
    const nowhere = openSource({ address: 'unix:///nowhere/consul.sock' });
    await expect(nowhere.readRules()).rejects.toThrow(
      'Consul at unix:///nowhere/consul.sock has no socket there',
    );
    nowhere.close();
  });

  test('a name that does not resolve', async () => {
    const nowhere = openSource({ address: 'consul.invalid:8500' });
    await expect(nowhere.readRules()).rejects.toThrow(/name that (does not resolve|could not be resolved)/);
    nowhere.close();
  });

  test('closing the source ends it', async () => {
    handler = () => {};
    const read = source.readRules();
    await until(() => requests.length > 0, 'the request');
    source.close();
    await expect(read).rejects.toThrow('the source was closed');
  });

  test('over IPv6 and a unix socket, with token and datacenter', async () => {
    handler = still(list('db'));
    const folder = mkdtempSync(join(tmpdir(), 'egresstrator-'));
    const path = join(folder, 'consul.sock');
    const v6 = createServer(handle).listen(0, '::1');
    const others = [createServer(handle).listen(path), v6];
    try {
      await Promise.all(others.map((other) => once(other, 'listening')));
      const { port } = v6.address() as AddressInfo;
      for (const address of [`unix://${path}`, `[::1]:${port}`]) {
        const other = openSource({ address, token: 's3cret', datacenter: 'dc2' });
        expect(await other.readRules()).toEqual(new Map([['db', 'x']]));
        other.close();
      }
    } finally {
      for (const other of others) other.close();
      rmSync(folder, { recursive: true });
    }
    expect(requests[0]?.headers['x-consul-token']).toBe('s3cret');
    expect(requests[0]?.url).toContain('dc=dc2');
  });
});

describe('watching', () => {
  test('a filtered answer keeps the last known value, until it is whole again', async () => {
    handler = still(list('db'));
    const { watch, changes } = recordRules(source);
    await until(() => watch.value, 'the first value');
    const filtered = { 'X-Consul-Results-Filtered-By-ACLs': 'true' };
    handler = (_request, response) => send(response, 200, '[]', { ...filtered, 'X-Consul-Index': '11' });
    await until(() => watch.error, 'the error');
    expect(watch.error?.message).toContain('hides a part of');
    expect(watch.value?.get('db')).toBe('x');
    handler = still(list('db'));
    await until(() => watch.error === undefined, 'the recovery');
    expect(changes).toHaveLength(1);
  });

  test('HTTP 400, a broken body and a reset are survived', async () => {
    handler = still(list('db'));
    const { watch, changes } = recordRules(source);
    await until(() => watch.value, 'the first value');
    const troubles: readonly [string, Handler][] = [
      ['answered 400 (Invalid index)', (_request, response) => send(response, 400, 'Invalid index')],
      ['is not a valid answer of Consul', still('[null]')],
      ['closed the connection', (request) => request.socket.resetAndDestroy()],
    ];
    for (const [message, trouble] of troubles) {
      handler = trouble;
      await until(() => watch.error?.message.includes(message), message);
    }
    handler = still(list('db', 'web'));
    await until(() => watch.value?.size === 2, 'the recovery');
    expect(watch.error).toBeUndefined();
    expect(changes).toHaveLength(2);
  });

  test('a stale answer without a leader is read again, consistently', async () => {
    handler = (request, response) => {
      if (!blocks(request)) return send(response, 200, list('db'));
      const headers = { 'X-Consul-Knownleader': 'false', 'X-Consul-Index': '99' };
      setTimeout(() => send(response, 200, list('db', 'old'), headers), 200);
    };
    const { watch, changes } = recordRules(source);
    await until(() => requests.filter(blocks).length >= 2, 'two blocking queries');
    expect(changes).toEqual([new Map([['db', 'x']])]);
    expect(watch.error).toBeUndefined();
    expect(requests.filter(blocks)[0]?.url).toMatch(/stale=1.*index=10&wait=(1000|[5-9]\d\d)ms/);
    expect(requests.filter((request) => request.url?.includes('consistent=1')).length).toBeGreaterThan(1);
  });

  test('a Consul that answers at once each time is not asked in a busy loop', async () => {
    let index = 10;
    handler = (_request, response) =>
      send(response, 200, list(`k${index}`), { 'X-Consul-Index': `${index++}` });
    const { watch } = recordRules(source);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    // Each read is followed by a look at the rights, as a key is missing each time.
    expect(requests.filter(({ method }) => method === 'GET').length).toBeLessThan(15);
    expect(watch.value?.size).toBe(1);
  });

  test('closing aborts the request in flight and leaves no connection', async () => {
    handler = still(list('db'));
    const { watch } = recordRules(source);
    await until(() => requests.some(blocks), 'the blocking query');
    watch.close();
    await until(() => requests.find(blocks)?.socket.destroyed, 'the connection to end', 500);
    source.close();
    await until(() => [...sockets].every(({ destroyed }) => destroyed), 'all connections to end', 500);
    expect(() => source.watchRules(() => {})).toThrow('the source was closed');
  });
});
