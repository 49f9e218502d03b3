/** What the controller writes to a real Consul, and what is read and removed there again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { CatalogReader } from '../../src/sources/consul/catalog-reader.ts';
import { Registration } from '../../src/sources/consul/registration.ts';
import { Removal } from '../../src/sources/consul/removal.ts';
import { StatusPublisher } from '../../src/sources/consul/status-publisher.ts';

const ID = 'egresstrator-host 1';
const CHECK = `service:${ID}`;

let consul: Consul;
beforeAll(async () => {
  consul = await startConsul();
});
afterAll(() => consul?.stop());

const options = () => ({ address: consul.address });
const register = () =>
  new Registration(options(), { service: 'egresstrator', node: 'host 1', version: '1.2.3' });

test('the controller is a service with a check, until it ends', async () => {
  const registration = register();
  await registration.heartbeat({ status: 'passing', output: 'all & healthy' });
  const checks = async () => (await consul.call('GET', '/v1/agent/checks')).body;
  expect(await checks()).toMatchObject({
    [CHECK]: { Status: 'passing', Output: 'all & healthy', Type: 'ttl' },
  });
  await registration.heartbeat({ status: 'warning', output: 'one failed' });
  expect(await checks()).toMatchObject({ [CHECK]: { Status: 'warning', Output: 'one failed' } });
  expect((await consul.call('GET', '/v1/agent/services')).body).toMatchObject({
    [ID]: { Service: 'egresstrator', Meta: { node: 'host 1', version: '1.2.3' } },
  });
  const { services } = await new CatalogReader(options()).read();
  expect(services.get('egresstrator')).toHaveLength(1);
  await registration.close();
  expect(await checks()).toEqual({});
});

test('a controller that the agent forgot is registered again, and a lost one can be removed', async () => {
  const [registration, removal] = [register(), new Removal(options())];
  const healthy = { status: 'passing', output: 'healthy' } as const;
  await registration.heartbeat(healthy);
  expect([await removal.isRegistered(ID), await removal.isRegistered('another')]).toEqual([true, false]);
  await removal.deregister(ID);
  expect(await removal.isRegistered(ID)).toBe(false);
  await expect(registration.heartbeat(healthy)).rejects.toThrow('asked for a heartbeat');
  await registration.heartbeat(healthy);
  expect(await removal.isRegistered(ID)).toBe(true);
  await registration.close();
});

test('the status of each host is a key, and keys are counted and removed by name or by folder', async () => {
  const [publisher, removal] = [new StatusPublisher(options(), 'egress/status/'), new Removal(options())];
  expect(await publisher.read()).toEqual(new Map());
  await publisher.write('host 1', '{"state":"ü"}');
  await publisher.write('x', '');
  await publisher.write('xy', '');
  expect([...(await publisher.read())]).toEqual([
    ['host 1', '{"state":"ü"}'],
    ['x', ''],
    ['xy', ''],
  ]);
  const count = (name: string) => removal.countKeys(`egress/${name}`);
  expect([
    await count('status/'),
    await count('status/x'),
    await count('stat'),
    await count('other/'),
  ]).toEqual([...[3, 1, 0, 0]]);
  await removal.removeKeys('egress/status/x');
  expect([...(await publisher.read()).keys()]).toEqual(['host 1', 'xy']);
  await removal.removeKeys('egress/status/');
  expect(await count('status/')).toBe(0);
  publisher.close();
});
