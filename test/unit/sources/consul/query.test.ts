/** Reads over real sockets: what came before is not parsed again, and no answer may be of any size. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConsulClient } from '../../../../src/sources/consul/client.ts';
import { settingsOf } from '../../../../src/sources/consul/options.ts';
import { rulesQuery } from '../../../../src/sources/consul/query.ts';

const forever = new AbortController().signal;
let server: Server;
let client: ConsulClient;
/** Of the next answers. */
let bodies: string[];
let paths: (string | undefined)[];

beforeEach(async () => {
  paths = [];
  server = createServer((request, response) => {
    paths.push(request.url?.split('?')[0]);
    const body = bodies.shift() ?? '[]';
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-Consul-Index': '7' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = new ConsulClient(settingsOf({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
afterEach(() => {
  client.close();
  server.close();
  server.closeAllConnections();
});

const list = (key: string) => JSON.stringify([{ Key: `egress/acl/${key}`, Value: null }]);

test('equal bytes are parsed once, and the value is the same object', async () => {
  bodies = [list('a'), list('a'), list('b'), list('a')];
  const query = rulesQuery(client);
  const read = async () => (await query.execute({ kind: 'stale' }, forever)).value;
  const values = [await read(), await read(), await read(), await read()];
  expect(values[1]).toBe(values[0]);
  expect(values.map((value) => [...value.keys()])).toEqual([['a'], ['a'], ['b'], ['a']]);
});

test('ingress keys are in a folder of their own', async () => {
  bodies = [JSON.stringify([{ Key: 'ingress/acl/web', Value: null }]), list('a')];
  const query = rulesQuery(client, 'ingress');
  const { value } = await query.execute({ kind: 'stale' }, forever);
  expect([...value.keys()]).toEqual(['web']);
  expect(paths).toEqual(['/v1/kv/ingress%2Facl%2F']);
  await expect(query.execute({ kind: 'stale' }, forever)).rejects.toThrow('egress/acl/a');
});

test('what cannot be parsed fails each time, and what was parsed before is still known', async () => {
  bodies = [list('a'), 'bad', 'bad', list('a')];
  const query = rulesQuery(client);
  const read = () => query.execute({ kind: 'stale' }, forever);
  const { value } = await read();
  for (const _ of [1, 2]) await expect(read()).rejects.toThrow('it is not JSON');
  expect((await read()).value).toBe(value);
});

test('an answer that is too large is an error, and the next one counts', async () => {
  bodies = [' '.repeat(64e6 + 1), list('a')];
  const query = rulesQuery(client);
  await expect(query.execute({ kind: 'stale' }, forever)).rejects.toThrow(
    "sent more than 64 MB, asked for the rules below egress/acl/: check that --consul (CONSUL_HTTP_ADDR) is really Consul's HTTP API; if it is, divide what is so large, such as a service of 100,000 instances",
  );
  expect((await query.execute({ kind: 'stale' }, forever)).value.size).toBe(1);
});
