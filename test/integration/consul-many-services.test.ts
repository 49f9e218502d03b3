/** More services than connections: few requests while nothing changes, and yet a change is soon known. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { Meter, mostWithin } from '../support/meter.ts';
import { until } from './consul-support.ts';

const SERVICES = 300;
const CONNECTIONS = 30;
/** Three hundred at fifty a second, and twice as long for a busy machine. */
const soon = 12_000;

let consul: Consul;
let hosts = 0;
const endings: (() => unknown)[] = [];

beforeAll(async () => {
  consul = await startConsul();
  for (let at = 0; at < SERVICES; at += 1) await register(at);
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});
afterAll(() => consul?.stop());

const register = (at: number, address = '10.9.0.1', port = 80) =>
  consul.call('PUT', '/v1/catalog/register', {
    ...{ Node: `n${at}`, Address: address },
    Service: { Service: `s${at}`, ID: `s${at}`, Port: port },
  });

const setCheck = (at: number, status: string) =>
  consul.call('PUT', '/v1/catalog/register', {
    ...{ Node: `n${at}`, Address: '10.9.0.1', SkipNodeUpdate: true },
    Check: { Node: `n${at}`, CheckID: 'c', Name: 'c', ServiceID: `s${at}`, Status: status },
  });

/** A host that watches all services and is at rest. */
async function open(health: 'any' | 'passing') {
  hosts += 1;
  const meter = await Meter.open({ to: consul.address, from: `127.3.0.${hosts}` });
  endings.push(() => meter[Symbol.asyncDispose]());
  const source = new ConsulRuleSource({ address: meter.address, health, maxConnections: CONNECTIONS });
  endings.push(() => source.close());
  source.watchRules(() => {});
  const watches = Array.from({ length: SERVICES }, (_, at) =>
    source.watchService({ service: `s${at}`, datacenter: undefined }, () => {}),
  );
  await until(() => watches.every(({ value }) => value?.length === 1), 'all first values', 30_000);
  // What moved before the catalog was watched is looked for first.
  const isQuiet = () => (meter.requests.at(-1) ?? 0) < performance.now() - 1_000;
  await until(isQuiet, 'the first polls to end', 60_000);
  return { meter, source, watches };
}

test('at rest a host sends few requests, and sees every instance that changes', async () => {
  const { meter, watches } = await open('any');
  const from = performance.now();
  await sleep(10_000);
  const asked = meter.requests.filter((time) => time >= from);
  // Each service within nine minutes, and the tables; at fifty a second it would be 500.
  expect(asked.length).toBeLessThan(30);
  const some = [0, 150, SERVICES - 1];
  for (const at of some) await register(at, '10.9.0.1', 81);
  const hasMoved = () => some.every((at) => watches[at]?.value?.[0]?.port === 81);
  expect(await until(hasMoved, 'the changed instances', 60_000)).toBeLessThan(soon);
  for (const at of some) await register(at, '10.9.0.2', 81);
  const isElsewhere = () => some.every((at) => watches[at]?.value?.[0]?.address === '10.9.0.2');
  expect(await until(isElsewhere, 'the changed nodes', 60_000)).toBeLessThan(soon);
  for (const at of some) await consul.call('PUT', '/v1/catalog/deregister', { Node: `n${at}` });
  const isGone = () => some.every((at) => watches[at]?.value?.length === 0);
  expect(await until(isGone, 'the instances that went', 60_000)).toBeLessThan(soon);
  for (const at of some) await register(at);
  expect(watches.flatMap(({ error }) => error ?? [])).toEqual([]);
  expect(meter.connections).toBeLessThan(CONNECTIONS + 20);
});

test('a check that fails is seen too, and constant changes cost no more than eighty requests a second', async () => {
  const { meter, watches } = await open('passing');
  const some = [1, 151, SERVICES - 2];
  for (const at of some) await setCheck(at, 'critical');
  const isCritical = () => some.every((at) => watches[at]?.value?.length === 0);
  expect(await until(isCritical, 'the critical instances', 60_000)).toBeLessThan(soon);
  const from = performance.now();
  for (let turn = 0; turn < 60; turn += 1) {
    await setCheck(some[turn % 3] ?? 0, turn % 2 === 0 ? 'passing' : 'critical');
    await sleep(200);
  }
  const during = meter.requests.filter((time) => time >= from);
  expect(mostWithin(during, 5_000)).toBeLessThan(5 * 80);
  for (const at of some) await setCheck(at, 'passing');
  const isBack = () => some.every((at) => watches[at]?.value?.length === 1);
  expect(await until(isBack, 'the instances to be back', 60_000)).toBeLessThan(soon);
});

test('services that rest are lost with a Consul that hangs, and back when it is', async () => {
  const small = await startConsul();
  endings.push(() => small.stop());
  const options = { address: small.address, maxConnections: 10, wait: 2_000, timeout: 1_000 };
  const source = new ConsulRuleSource(options);
  endings.push(() => source.close());
  const rules = source.watchRules(() => {});
  const services = Array.from({ length: 40 }, (_, at) =>
    source.watchService({ service: `s${at}`, datacenter: undefined }, () => {}),
  );
  const all = [rules, ...services];
  await until(() => all.every(({ value }) => value !== undefined), 'all first values', 20_000);
  await sleep(2_000);
  await small.freeze();
  try {
    await until(() => all.every(({ error }) => error), 'all to be lost', 60_000);
    expect(services[0]?.error?.message).toContain('did not answer in time');
  } finally {
    small.thaw();
  }
  await until(() => all.every(({ error }) => !error), 'all to be back', 60_000);
  await small.call('PUT', '/v1/catalog/register', {
    ...{ Node: 'n', Address: '10.9.0.1' },
    Service: { Service: 's39', Port: 80 },
  });
  await until(() => services[39]?.value?.length === 1, 'what changed afterwards', 30_000);
});
