/** What the controller tells Consul of itself: the calls, and what becomes of refusals. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listServices } from '../../../../src/sources/consul/directory.ts';
import { Registration, StatusBoard } from '../../../../src/sources/consul/registration.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly token: string | undefined;
}

let server: Server;
let calls: Call[];
/** Status and body by path; 200 and nothing for the others. */
let answers: Map<string, readonly [number, string]>;

beforeEach(async () => {
  calls = [];
  answers = new Map();
  server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const token = request.headers['x-consul-token'];
    calls.push({ method: request.method ?? '', path, body: await text(request), token: token?.toString() });
    const [status, body] = answers.get(path) ?? [200, ''];
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const isBound = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;
const options = () => {
  const address = server.address();
  return { address: `127.0.0.1:${isBound(address) ? address.port : 0}`, token: 'secret' };
};
const identity = { service: 'egresstrator', node: 'docker-1', version: '1.0.0' };
const well = { status: 'passing', output: 'all is well' } as const;

describe('the registration', () => {
  test('comes before the first beat, once, with the token', async () => {
    const registration = new Registration(options(), identity);
    await registration.beat(well);
    await registration.beat({ status: 'warning', output: 'Consul is lost' });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /v1/agent/service/register',
      'PUT /v1/agent/check/update/service%3Aegresstrator-docker-1',
      'PUT /v1/agent/check/update/service%3Aegresstrator-docker-1',
    ]);
    expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({
      ...{ ID: 'egresstrator-docker-1', Name: 'egresstrator' },
      Check: { TTL: '45s', Status: 'passing' },
    });
    expect(JSON.parse(calls[2]?.body ?? '')).toEqual({ Status: 'warning', Output: 'Consul is lost' });
    expect(new Set(calls.map(({ token }) => token))).toEqual(new Set(['secret']));
  });

  test.each([404, 500])('is made again where the agent forgot it and answers %i', async (status) => {
    const registration = new Registration(options(), identity);
    answers.set('/v1/agent/check/update/service%3Aegresstrator-docker-1', [status, 'Unknown check']);
    await registration.beat(well).catch(() => undefined);
    answers.clear();
    await registration.beat(well);
    expect(calls.filter(({ path }) => path === '/v1/agent/service/register')).toHaveLength(2);
  });

  test('is taken back in the end, if there was one', async () => {
    const registration = new Registration(options(), identity);
    await registration.close();
    expect(calls).toEqual([]);
    await registration.beat(well);
    await registration.close();
    expect(calls.at(-1)?.path).toBe('/v1/agent/service/deregister/egresstrator-docker-1');
  });

  test('that is refused says what is missing, and no token', async () => {
    answers.set('/v1/agent/service/register', [403, 'Permission denied']);
    const refused = new Registration(options(), identity).beat(well);
    await expect(refused).rejects.toThrow(
      /rejected its registration with status 403; the token lacks a permission/,
    );
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});

test('the status of a host is a key of its name', async () => {
  const board = new StatusBoard(options(), 'egress/status/');
  await board.write('docker 1', '{}');
  expect(calls[0]).toMatchObject({ method: 'PUT', path: '/v1/kv/egress/status/docker%201', body: '{}' });
  const entries = [
    { Key: 'egress/status/a', Value: Buffer.from('A').toString('base64') },
    { Key: 'egress/status/b', Value: null },
  ];
  answers.set('/v1/kv/egress/status/?recurse', [200, JSON.stringify(entries)]);
  expect([...(await board.read())]).toEqual([
    ['a', 'A'],
    ['b', ''],
  ]);
  answers.set('/v1/kv/egress/status/?recurse', [404, '']);
  expect([...(await board.read())]).toEqual([]);
});

test('the services of the catalog are listed by name', async () => {
  answers.set('/v1/catalog/services?stale', [200, JSON.stringify({ web: ['blue'], consul: [] })]);
  expect(await listServices(options())).toEqual([
    { service: 'consul', datacenter: undefined },
    { service: 'web', datacenter: undefined },
  ]);
});

test('a Consul that is not there is told in one sentence', async () => {
  await expect(listServices({ address: '127.0.0.1:1' })).rejects.toThrow(
    /^Consul at 127\.0\.0\.1:1 does not answer, asked for the list of services: /,
  );
});
