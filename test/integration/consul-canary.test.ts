/**
 * Services whose queries hang for minutes, and a Consul that is lost in silence: the rules, which are asked
 * often, tell.
 */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startConsul } from '../../lab/consul.ts';
import { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { openSource, until } from './consul-support.ts';

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const named = (service: string) => ({ service, datacenter: undefined });
const namesOf = (count: number) => Array.from({ length: count }, (_, at) => `s${at}`);

test('a frozen Consul is noticed by all soon after the rules, and all come back when it thaws', async () => {
  // Room for queries that were given up: Consul counts them until their time is over.
  const consul = await startConsul({ connections: 400 });
  endings.push(() => consul.stop());
  const names = namesOf(140);
  const source = new ConsulRuleSource({ address: consul.address, timeout: 2_000, maxConnections: 150 });
  endings.push(() => source.close());
  const rules = source.watchRules(() => {});
  const services = names.map((name) => source.watchService(named(name), () => {}));
  const all = [rules, ...services];
  await until(() => all.every(({ value }) => value !== undefined), 'all first values', 20_000);
  await sleep(1_000);
  await consul.freeze();
  try {
    // 15 s and a sixteenth, then two timeouts; on their own the last would take a minute and more.
    expect(await until(() => all.every(({ error }) => error), 'all to be lost', 60_000)).toBeLessThan(30_000);
    expect(services[0]?.error?.message).toContain('did not answer in time');
  } finally {
    consul.thaw();
  }
  expect(await until(() => all.every(({ error }) => !error), 'all to be back', 60_000)).toBeLessThan(20_000);
});

test('rules that fail and come back have services read anew, which reveals what a dead query hid', async () => {
  const stub = await openStub();
  const source = openSource({ address: stub.address, wait: 120_000, timeout: 5_000 });
  endings.push(() => source.close());
  const rules = source.watchRules(() => {});
  const services = namesOf(20).map((name) => source.watchService(named(name), () => {}));
  await until(() => services.every(({ value }) => value?.length === 0), 'all first values');
  await until(() => stub.hanging('/v1/catalog/').length === 20, 'all queries to hang');
  const before = services.map(({ confirmedAt }) => confirmedAt ?? 0);
  stub.instances = 1;
  await until(() => stub.hanging('/v1/kv/').length === 1, 'the query for the rules to hang');
  for (const { response } of stub.hanging('/v1/kv/')) response.destroy();
  await until(() => rules.error, 'the rules to fail');
  await until(() => !rules.error, 'the rules to come back');
  const errors: unknown[] = [];
  const isRight = () => {
    errors.push(...services.flatMap(({ error }) => error ?? []));
    return services.every(({ value }) => value?.length === 1);
  };
  await until(isRight, 'all services to be right', 20_000);
  expect(errors).toEqual([]);
  expect(services.every(({ confirmedAt }, at) => (confirmedAt ?? 0) > (before[at] ?? 0))).toBe(true);
  // Of one host's watches some five come back in a second, not all in one instant.
  const times = stub.anew.toSorted((one, other) => one - other);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1_000);
});

interface Hanging {
  readonly path: string;
  readonly response: ServerResponse;
}

/** Answers what does not block, and lets all else hang, whatever happens: as behind a path that was cut. */
async function openStub() {
  const held = new Set<Hanging>();
  const state = {
    instances: 0,
    /** When services were read at once after they had blocked, in ms. */
    anew: [] as number[],
    hanging: (path: string) => [...held].filter((one) => one.path.startsWith(path)),
  };
  const server: Server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.startsWith('/v1/internal/')) return void response.writeHead(401).end();
    if (path.includes('index=')) {
      const one = { path, response };
      held.add(one);
      return void response.on('close', () => held.delete(one));
    }
    const isService = path.startsWith('/v1/catalog/');
    if (isService && path.includes('stale')) state.anew.push(performance.now());
    const instance = { Node: 'n1', Address: '10.0.0.1', ServicePort: 80 };
    const body = isService && state.instances > 0 ? [instance] : [];
    const index = { 'X-Consul-Index': String(10 + state.instances), 'X-Consul-Knownleader': 'true' };
    response.writeHead(200, { 'Content-Type': 'application/json', ...index }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, { address: `127.0.0.1:${port}` });
}
