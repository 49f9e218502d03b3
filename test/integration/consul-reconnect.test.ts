/**
 * Many watches of several hosts, and something happens to all of them at once: Consul hears little while
 * it is away, and no more than it takes to be up to date afterwards.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import type { Watched } from '../../src/inventory/sources.ts';
import { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { Meter } from '../support/meter.ts';
import { until } from './consul-support.ts';

const HOSTS = 4;
const SERVICES = 25;
const WATCHES = SERVICES + 1;
const KEYS = 100;

/** One host's watches, with the settings of the program. */
interface Host {
  readonly meter: Meter;
  readonly rules: Watched<ReadonlyMap<string, string>>;
  readonly watches: readonly Watched<unknown>[];
  readonly source: ConsulRuleSource;
}

let consul: Consul;
let hosts: readonly Host[];

beforeAll(async () => {
  consul = await startConsul({ servers: 3, agents: 1 });
  for (const key of keys) await consul.call('PUT', `/v1/kv/egress/acl/${key}`, '10.0.0.1:tcp/1');
  for (const name of services) await consul.call('PUT', '/v1/catalog/register', registration(name));
  hosts = await Promise.all(Array.from({ length: HOSTS }, (_, index) => openHost(index)));
});
afterAll(async () => {
  for (const { source, meter } of hosts ?? []) {
    source.close();
    await meter[Symbol.asyncDispose]();
  }
  await consul?.stop();
});
beforeEach(async () => {
  await consul.start();
  await until(areRight, 'all hosts to be up to date', 60_000);
});

const keys = Array.from({ length: KEYS }, (_, n) => `key-${n}`);
const services = Array.from({ length: SERVICES }, (_, n) => `service-${n}`);
const registration = (name: string) => ({
  ...{ Node: `node-of-${name}`, Address: '10.1.0.1' },
  Service: { Service: name, Port: 80 },
});

async function openHost(index: number): Promise<Host> {
  const meter = await Meter.open({ to: consul.agents[0]?.address ?? '', from: `127.2.0.${index + 1}` });
  const source = new ConsulRuleSource({ address: meter.address });
  const rules = source.watchRules(() => {});
  const others = services.map((service) => source.watchService({ service, datacenter: undefined }, () => {}));
  return { meter, rules, watches: [rules, ...others], source };
}

const areRight = (): boolean =>
  hosts
    .flatMap(({ watches }) => watches)
    .every(({ value, error }) => value !== undefined && error === undefined);

const areDisconnected = (): boolean =>
  hosts.flatMap(({ watches }) => watches).every(({ error }) => error !== undefined);

/** What each host asked since `from`, in ms as `performance.now()` tells them. */
const askedSince = (from: number): readonly number[] =>
  hosts.map(({ meter }) => meter.requests.filter((time) => time >= from).length);

test('while the agent is away one watch of a host tries for all, and each comes back once', async () => {
  const [agent] = consul.agents;
  await agent?.kill();
  await until(areDisconnected, 'all watches to be lost', 30_000);
  const lost = performance.now();
  await sleep(4_000);
  // Each on its own, 26 watches would have tried a hundred times and more.
  for (const asked of askedSince(lost)) expect(asked).toBeLessThan(WATCHES);
  agent?.start();
  await agent?.untilReady();
  await until(areRight, 'all watches to be right again', 60_000);
  // Tries while it was away and while it had no server yet; then a read, its rights, and a blocking query.
  for (const asked of askedSince(lost)) expect(asked).toBeLessThan(4 * WATCHES);
});

test('a cluster without a leader: the same, and the next edit arrives everywhere', async () => {
  const others = consul.servers.slice(1);
  const from = performance.now();
  await Promise.all(others.map((server) => server.kill()));
  await sleep(8_000);
  for (const server of others) server.start();
  await Promise.all(others.map((server) => server.untilReady()));
  await until(areRight, 'all watches to be right again', 90_000);
  for (const asked of askedSince(from)) expect(asked).toBeLessThan(8 * WATCHES);
  await consul.call('PUT', '/v1/kv/egress/acl/key-0', '10.0.0.2:tcp/2');
  const arrived = () => hosts.every(({ rules }) => rules.value?.get('key-0') === '10.0.0.2:tcp/2');
  await until(arrived, 'the edit to arrive', 30_000);
});

test('an edit of every key is read a few times and not once per key', async () => {
  const from = performance.now();
  for (const key of keys) await consul.call('PUT', `/v1/kv/egress/acl/${key}`, '10.0.0.3:tcp/3');
  const arrived = () => hosts.every(({ rules }) => rules.value?.get(`key-${KEYS - 1}`) === '10.0.0.3:tcp/3');
  await until(arrived, 'the last edit to arrive', 30_000);
  const seconds = (performance.now() - from) / 1_000;
  const quiet = WATCHES; // Blocking queries that end meanwhile.
  for (const asked of askedSince(from)) expect(asked).toBeLessThan(9 + 2 * seconds + quiet);
});
