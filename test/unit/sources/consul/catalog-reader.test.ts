/** All instances of the catalog, read when somebody asks and kept for a while. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CatalogIndexOptions, CatalogReader } from '../../../../src/sources/consul/catalog-reader.ts';

let server: Server;
let services: readonly string[];
let paths: string[];
let most: number;
let now: number;
const indexes: CatalogReader[] = [];

beforeEach(async () => {
  services = ['web', 'db', 'broken'];
  paths = [];
  now = 1_000_000;
  most = 0;
  let running = 0;
  server = createServer((request, response) => {
    const path = request.url ?? '';
    paths.push(path);
    running += 1;
    most = Math.max(most, running);
    const name = path.split(/[/?]/).at(4) ?? '';
    const isList = path.startsWith('/v1/catalog/services');
    const body = isList ? Object.fromEntries(services.map((service) => [service, []])) : instancesOf(name);
    setTimeout(() => {
      running -= 1;
      const headers = { 'Content-Type': 'application/json', 'X-Consul-Index': '7' };
      response.writeHead(name === 'broken' ? 500 : 200, headers).end(JSON.stringify(body));
    }, 5);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  for (const index of indexes.splice(0)) index.close();
  server.close();
  server.closeAllConnections();
});

const instancesOf = (service: string) => [
  { Node: `node-of-${service}`, Address: '10.0.0.1', ServicePort: 80, ServiceTags: ['a'] },
];

function open(
  options: CatalogIndexOptions = {},
  port = (server.address() as AddressInfo).port,
): CatalogReader {
  const index = new CatalogReader({ address: `127.0.0.1:${port}` }, { now: () => now, ...options });
  indexes.push(index);
  return index;
}

test('has the instances of each service, and says which could not be read and why', async () => {
  const catalog = await open().read();
  expect([...catalog.services.keys()].toSorted()).toEqual(['db', 'web']);
  expect(catalog.services.get('db')).toEqual([
    { address: '10.0.0.1', port: 80, tags: ['a'], node: 'node-of-db' },
  ]);
  expect([...catalog.unread.keys()]).toEqual(['broken']);
  expect(catalog.unread.get('broken')).toMatch(/answered 500/);
});

test('lets any server answer, and asks a few at a time', async () => {
  services = Array.from({ length: 50 }, (_, at) => `s${at}`);
  expect((await open({ concurrency: 4 }).read()).services.size).toBe(50);
  expect(paths.every((path) => /[?&]stale/.test(path))).toBe(true);
  expect(most).toBeLessThanOrEqual(4);
});

test('is read once for all who ask within its age, and again afterwards', async () => {
  const index = open({ maxAge: 60_000 });
  const [one, other] = await Promise.all([index.read(), index.read()]);
  expect(other).toBe(one);
  now += 59_999;
  expect(await index.read()).toBe(one);
  expect(paths).toHaveLength(4);
  now += 1;
  expect(await index.read()).not.toBe(one);
  expect(paths).toHaveLength(8);
});

test('fails where Consul lists no services, and asks again the next time', async () => {
  const { port } = server.address() as AddressInfo;
  const index = open({}, port);
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
  await expect(index.read()).rejects.toThrow(/^Consul at .* the list of services/);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  expect((await index.read()).services.size).toBe(2);
});
