/** The adapter on a real Consul: edits, restarts, freezes, many services. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import type { ConsulOptions } from '../../src/sources/consul/options.ts';
import { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { openSource, pg, recordRules, until } from './consul-support.ts';

/** Milliseconds: an edit takes less than half a second, a busy machine the rest. */
const soon = 15_000;

let consul: Consul;
const sources: ConsulRuleSource[] = [];
const open = (options: Partial<ConsulOptions> = {}): ConsulRuleSource => {
  const source = openSource({ address: consul.address, ...options });
  sources.push(source);
  return source;
};
const put = (key: string, value = '') => consul.call('PUT', `/v1/kv/${key}`, value);
const remove = (path: string) => consul.call('DELETE', `/v1/kv/${path}`);
const registration = (service: string, node: string, more: object = {}) => ({
  ...{ Node: node, Address: '10.9.0.1' },
  Service: { Service: service, ID: service, Port: 5432, ...more },
});
const register = (service: string, node = 'n1', more: object = {}) =>
  consul.call('PUT', '/v1/catalog/register', registration(service, node, more));
const deregister = (node = 'n1') => consul.call('PUT', '/v1/catalog/deregister', { Node: node });

beforeAll(async () => {
  consul = await startConsul();
});
afterEach(async () => {
  for (const source of sources.splice(0)) source.close();
  await remove('egress/?recurse');
});
afterAll(() => consul?.stop());

describe('rules', () => {
  test('a missing folder is an empty map', async () => {
    expect(await open().readRules()).toEqual(new Map());
  });

  test('edits arrive at once', async () => {
    const { watch, changes } = recordRules(open({ wait: 15_000 }));
    await until(() => watch.value, 'the first value');
    for (let edit = 0; edit < 5; edit++) {
      await put('egress/acl/db', `edit ${edit}`);
      expect(await until(() => watch.value?.get('db') === `edit ${edit}`, 'the edit', 2_000)).toBeLessThan(
        900,
      );
    }
    expect(changes).toHaveLength(6);
    expect(await open().readRules()).toEqual(watch.value);
  });

  test('strange keys and values are as written', async () => {
    const strange = { 'a/b.c': 'x', '{{#each x}}': 'y', 'ü %2F?&': '\r\n' };
    for (const [key, value] of Object.entries(strange)) {
      await put(`egress/acl/${key.split('/').map(encodeURIComponent).join('/')}`, value);
    }
    await put('egress/acl/folder/', 'x');
    await put('egress/acl2/other', 'x');
    expect(await open().readRules()).toEqual(new Map(Object.entries(strange)));
  });

  test('a deleted key goes, and so does a deleted folder', async () => {
    for (const key of ['a', 'b', 'c']) await put(`egress/acl/${key}`, 'x');
    const { watch, changes } = recordRules(open());
    await until(() => watch.value?.size === 3, 'the first value');
    await remove('egress/acl/a');
    await until(() => watch.value?.size === 2, 'the deletion');
    await remove('egress/acl/?recurse');
    expect(await until(() => watch.value?.size === 0, 'the folder to be empty')).toBeLessThan(soon);
    expect(watch.error).toBeUndefined();
    expect(changes).toHaveLength(3);
  });

  test('an index that moves without a change calls nobody, and confirms', async () => {
    await put('egress/acl/a', 'x');
    const { watch, changes } = recordRules(open({ wait: 15_000 }));
    await until(() => watch.value, 'the first value');
    const confirmedAt = watch.confirmedAt ?? 0;
    await put('egress/acl/a', 'y');
    await until(() => changes.length === 2, 'the change');
    await put('egress/acl/a?flags=7', 'y');
    await put('egress/acl/folder/', '');
    await until(() => (watch.confirmedAt ?? 0) > confirmedAt + 100, 'the confirmation');
    expect(changes).toHaveLength(2);
  });

  test('hundreds of writes cost few reads, and the last one arrives', async () => {
    const { watch, changes } = recordRules(open());
    await until(() => watch.value, 'the first value');
    const from = performance.now();
    for (let turn = 0; turn < 60; turn++) {
      await Promise.all(Array.from({ length: 10 }, (_, at) => put('egress/acl/hot', `${turn} ${at}`)));
    }
    await put('egress/acl/hot', 'last');
    const took = performance.now() - from;
    expect(await until(() => watch.value?.get('hot') === 'last', 'the last write')).toBeLessThan(soon);
    expect(changes.length).toBeLessThan(12 + took / 400);
  });
});

describe('services', () => {
  afterEach(() => deregister());

  test('come and go', async () => {
    const source = open();
    const watch = source.watchService(pg, () => {});
    await until(() => watch.value?.length === 0, 'no instance');
    await register('pg', 'n1', { Tags: ['production', 'a.b'], Address: '10.9.0.2' });
    await until(() => watch.value?.length === 1, 'the instance');
    expect(watch.value).toEqual([
      { address: '10.9.0.2', port: 5432, tags: ['a.b', 'production'], node: 'n1' },
    ]);
    expect(await source.readService(pg)).toEqual(watch.value);
    await register('pg', 'n1');
    await until(() => watch.value?.[0]?.address === '10.9.0.1', 'the node’s address');
    await deregister();
    expect(await until(() => watch.value?.length === 0, 'the end of the instance')).toBeLessThan(soon);
    expect(watch.error).toBeUndefined();
  });

  test('of another datacenter that nobody knows are an error', async () => {
    await expect(open().readService({ service: 'pg', datacenter: 'dc9' })).rejects.toThrow(
      'does not know the datacenter dc9, asked for service pg@dc9',
    );
  });

  test('count whatever their health, or only while they pass', async () => {
    await register('pg');
    const check = (status: string) =>
      consul.call('PUT', '/v1/catalog/register', {
        ...{ Node: 'n1', Address: '10.9.0.1', SkipNodeUpdate: true },
        Check: { Node: 'n1', CheckID: 'c', Name: 'c', ServiceID: 'pg', Status: status },
      });
    await check('passing');
    const any = open().watchService(pg, () => {});
    const passing = open({ health: 'passing' }).watchService(pg, () => {});
    await until(() => any.value?.length === 1 && passing.value?.length === 1, 'the instance');
    await check('critical');
    await until(() => passing.value?.length === 0, 'the critical instance to go');
    expect([any.value?.length, any.error, passing.error]).toEqual([1, undefined, undefined]);
    await check('passing');
    await until(() => passing.value?.length === 1, 'the instance to come back');
  });
});

/** On Consuls of their own: they use up what one allows to a client. */
describe('many services', () => {
  let shared: Consul;
  beforeEach(async () => {
    shared = await startConsul();
  });
  afterEach(() => shared.stop());
  const watchAll = (source: ConsulRuleSource, count: number) =>
    Array.from({ length: count }, (_, at) =>
      source.watchService({ service: `s${at}`, datacenter: undefined }, () => {}),
    );

  test('of 500 shares fewer connections than Consul allows', async () => {
    const source = new ConsulRuleSource({ address: shared.address });
    sources.push(source);
    const watches = watchAll(source, 500);
    const rules = source.watchRules(() => {});
    await until(() => watches.every(({ value }) => value !== undefined), 'all first values', 60_000);
    await shared.call('PUT', '/v1/kv/egress/acl/db', 'x');
    expect(await until(() => rules.value?.has('db'), 'the rules, which wait for nobody')).toBeLessThan(soon);
    const some = [0, 250, 499];
    for (const at of some) await shared.call('PUT', '/v1/catalog/register', registration(`s${at}`, 'n1'));
    const isThere = () => some.every((at) => watches[at]?.value?.length === 1);
    await until(isThere, 'three instances', 60_000);
    expect(watches.flatMap(({ error }) => error ?? [])).toEqual([]);
  });

  test('finds room after a restart, beside the connections that Consul still counts', async () => {
    for (let run = 0; run < 2; run++) {
      const source = open({ address: shared.address, wait: 20_000 });
      const watches = [...watchAll(source, 80), source.watchRules(() => {})];
      await until(() => watches.every(({ value }) => value !== undefined), 'all first values');
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(watches.flatMap(({ error }) => error ?? [])).toEqual([]);
      source.close();
    }
  });
});

describe('losing Consul', () => {
  test('frozen: noticed after `wait` and `timeout`, the value is kept, then it recovers', async () => {
    await put('egress/acl/db', 'x');
    const { watch, changes } = recordRules(open({ wait: 500, timeout: 300 }));
    await until(() => watch.value, 'the first value');
    await consul.freeze();
    try {
      expect(await until(() => watch.error, 'the error')).toBeLessThan(15_000);
      expect(watch.error?.message).toContain('did not answer in time, asked for the rules below egress/acl/');
      expect(watch.value?.get('db')).toBe('x');
    } finally {
      consul.thaw();
    }
    await until(() => watch.error === undefined, 'the recovery');
    expect(changes).toHaveLength(1);
  });

  test('restarted empty: what was known is kept, until a key confirms that there is none', async () => {
    await put('egress/acl/db', 'x');
    await register('pg');
    const source = open();
    const { watch, changes } = recordRules(source);
    const service = source.watchService(pg, () => {});
    await until(() => watch.value && service.value?.length === 1, 'the first values');
    const rules = watch.value;
    await consul.restart();
    await until(() => watch.error?.message.includes('lost its history'), 'the doubt');
    await until(() => service.error?.message.includes('lost its history'), 'the doubt about the service');
    expect([watch.value?.get('db'), service.value?.length, changes.length]).toEqual(['x', 1, 1]);

    const heir = open();
    const empty: unknown[] = [];
    const inherited = heir.watchRules(() => empty.push(1), rules);
    await until(() => inherited.error?.message.includes('lost its history'), 'the heir to doubt');
    expect(inherited.value).toBeUndefined();

    await put('egress/acl/');
    await until(() => watch.value?.size === 0 && inherited.value?.size === 0, 'the confirmation');
    expect([watch.error, inherited.error, empty.length]).toEqual([undefined, undefined, 1]);
    await register('pg', 'n2');
    await until(() => service.value?.[0]?.node === 'n2' && !service.error, 'the service to come back');
    await deregister('n2');
  });

  test('restarted on the same data: the value stays, edits arrive', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'egresstrator-consul-'));
    const durable = await startConsul({ dataDir });
    try {
      await durable.call('PUT', '/v1/kv/egress/acl/db', 'x');
      const { watch, changes } = recordRules(open({ address: durable.address }));
      await until(() => watch.value, 'the first value');
      await durable.kill();
      await until(() => watch.error, 'the error');
      expect(watch.error?.message).toMatch(/refuses the connection|closed the connection/);
      await durable.start();
      await until(() => watch.error === undefined, 'the recovery', 20_000);
      expect(changes).toHaveLength(1);
      await durable.call('PUT', '/v1/kv/egress/acl/db', 'y');
      await until(() => watch.value?.get('db') === 'y', 'the edit');
    } finally {
      await durable.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

test('a program that closes its source exits', async () => {
  const program = `
    import { ConsulRuleSource } from './src/sources/consul/rule-source.ts';
    const source = new ConsulRuleSource({ address: '${consul.address}' });
    await source.readRules();
    await new Promise((resolve) => source.watchRules(resolve));
    source.watchService({ service: 'pg', datacenter: undefined }, () => setTimeout(() => source.close(), 200));
  `;
  const { exitCode } = await execa(process.execPath, ['--input-type=module-typescript', '-e', program], {
    timeout: 10_000,
  });
  expect(exitCode).toBe(0);
});
