/** What the controller tells Consul of itself: the calls, and what becomes of destinations. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CatalogReader } from '../../../../src/sources/consul/catalog-reader.ts';
import { Registration } from '../../../../src/sources/consul/registration.ts';
import { StatusPublisher } from '../../../../src/sources/consul/status-publisher.ts';

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
  test('comes before the first heartbeat, once, with the token', async () => {
    const registration = new Registration(options(), identity);
    await registration.heartbeat(well);
    await registration.heartbeat({ status: 'warning', output: 'Consul is lost' });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /v1/agent/service/register',
      'PUT /v1/agent/check/pass/service%3Aegresstrator-docker-1?note=all%20is%20well',
      'PUT /v1/agent/check/warn/service%3Aegresstrator-docker-1?note=Consul%20is%20lost',
    ]);
    expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({
      ...{ ID: 'egresstrator-docker-1', Name: 'egresstrator' },
      Check: { TTL: '45s', Status: 'passing' },
    });
    expect(new Set(calls.map(({ token }) => token))).toEqual(new Set(['secret']));
  });

  test.each([404, 500])('is made again where the agent forgot it and answers %i', async (status) => {
    const registration = new Registration(options(), identity);
    answers.set('/v1/agent/check/pass/service%3Aegresstrator-docker-1?note=all%20is%20well', [
      status,
      'Unknown check',
    ]);
    await registration.heartbeat(well).catch(() => undefined);
    answers.clear();
    await registration.heartbeat(well);
    expect(calls.filter(({ path }) => path === '/v1/agent/service/register')).toHaveLength(2);
  });

  test('is taken back in the end, if there was one', async () => {
    const registration = new Registration(options(), identity);
    await registration.close();
    expect(calls).toEqual([]);
    await registration.heartbeat(well);
    await registration.close();
    expect(calls.at(-1)?.path).toBe('/v1/agent/service/deregister/egresstrator-docker-1');
  });

  test('that is refused says what is missing, and no token', async () => {
    answers.set('/v1/agent/service/register', [403, 'Permission denied']);
    const refused = new Registration(options(), identity).heartbeat(well);
    await expect(refused).rejects.toThrow(
      /answered 403 \(Permission denied\), asked for the registration: give a valid token/,
    );
    await expect(refused).rejects.not.toThrow(/secret/);
  });
});

test('the status of a host is a key of its name', async () => {
  const publisher = new StatusPublisher(options(), 'egress/status/');
  await publisher.write('docker 1', '{}');
  expect(calls[0]).toMatchObject({ method: 'PUT', path: '/v1/kv/egress%2Fstatus%2Fdocker%201', body: '{}' });
  const entries = [
    { Key: 'egress/status/a', Value: Buffer.from('A').toString('base64') },
    { Key: 'egress/status/b', Value: null },
  ];
  answers.set('/v1/kv/egress%2Fstatus%2F?recurse=true', [200, JSON.stringify(entries)]);
  expect([...(await publisher.read())]).toEqual([
    ['a', 'A'],
    ['b', ''],
  ]);
  answers.set('/v1/kv/egress%2Fstatus%2F?recurse=true', [404, '']);
  expect([...(await publisher.read())]).toEqual([]);
});

test('the services of the catalog are listed by name', async () => {
  answers.set('/v1/catalog/services?stale=1', [200, JSON.stringify({ web: ['blue'], consul: [] })]);
  const { services, unread } = await new CatalogReader(options()).read();
  expect([...services.keys(), ...unread.keys()].sort()).toEqual(['consul', 'web']);
});

test('a Consul that is not there is told in one sentence', async () => {
  await expect(new CatalogReader({ address: '127.0.0.1:1' }).read()).rejects.toThrow(
    /^Consul at 127\.0\.0\.1:1 refuses the connection, asked for the list of services: /,
  );
});
