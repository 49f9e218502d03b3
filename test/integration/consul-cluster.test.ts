/** Three servers: stale answers of one that has lost its leader must not pass for news. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { openSource, recordRules, until } from './consul-support.ts';

let consul: Consul;
beforeAll(async () => {
  consul = await startConsul({ servers: 3 });
});
afterAll(() => consul?.stop());

test('a server without a leader: the value stays, the error says so, edits arrive afterwards', async () => {
  await consul.call('PUT', '/v1/kv/egress/acl/db', 'x');
  const source = openSource({ address: consul.address, wait: 500, timeout: 9_000 });
  const { watch, changes } = recordRules(source);
  await until(() => watch.value, 'the first value');
  const others = consul.servers.slice(1);
  await Promise.all(others.map((server) => server.kill()));
  await until(() => watch.error?.message.includes('has no leader'), 'the error', 30_000);
  expect(watch.value?.get('db')).toBe('x');
  for (const server of others) server.start();
  await until(() => watch.error === undefined, 'the recovery', 30_000);
  await until(async () => (await consul.call('PUT', '/v1/kv/egress/acl/db', 'y')).status === 200, 'the edit');
  await until(() => watch.value?.get('db') === 'y', 'the edit to arrive');
  expect(changes).toHaveLength(2);
  source.close();
});
