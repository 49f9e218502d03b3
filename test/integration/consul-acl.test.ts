/**
 * ACLs with default deny on a real Consul. Version 1.8 answers a token without rights with empty
 * lists and no sign of it; here each of them must be an error, and the last known value stays.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import type { ConsulOptions } from '../../src/sources/consul/options.ts';
import type { ConsulRuleSource } from '../../src/sources/consul/rule-source.ts';
import { openSource, pg, recordRules, until } from './consul-support.ts';

const everything =
  'key_prefix "egress/acl/" {policy="read"} service_prefix "" {policy="read"} node_prefix "" {policy="read"}';
const folder = mkdtempSync(join(tmpdir(), 'egresstrator-acl-'));
const sources: ConsulRuleSource[] = [];
let consul: Consul;

const open = (options: Partial<ConsulOptions>): ConsulRuleSource => {
  const source = openSource({ address: consul.address, ...options });
  sources.push(source);
  return source;
};

const setPolicy = (name: string, rules: string, id?: unknown) =>
  consul.call('PUT', `/v1/acl/policy${id === undefined ? '' : `/${id}`}`, { Name: name, Rules: rules });

/** A token with a policy of its own, which can be changed and which can be revoked. */
async function grant(rules: string) {
  const [name, token, accessor] = [`p-${randomUUID()}`, randomUUID(), randomUUID()];
  const { body } = await setPolicy(name, rules);
  const id = typeof body === 'object' && body !== null && 'ID' in body ? body.ID : undefined;
  await consul.call('PUT', '/v1/acl/token', {
    ...{ AccessorID: accessor, SecretID: token, Policies: [{ Name: name }] },
  });
  return {
    token,
    change: (changed: string) => setPolicy(name, changed, id),
    revoke: () => consul.call('DELETE', `/v1/acl/token/${accessor}`),
  };
}

beforeAll(async () => {
  consul = await startConsul({ acl: true });
  await consul.call('PUT', '/v1/kv/egress/acl/db', 'x');
  await consul.call('PUT', '/v1/kv/egress/acl/team/web', 'y');
  await consul.call('PUT', '/v1/catalog/register', {
    ...{ Node: 'n1', Address: '10.9.0.1', Service: { Service: 'pg', Port: 5432 } },
  });
});
afterEach(() => {
  for (const source of sources.splice(0)) source.close();
});
afterAll(async () => {
  await consul?.stop();
  rmSync(folder, { recursive: true });
});

describe('reading once', () => {
  test('with the right token', async () => {
    const { token } = await grant(everything);
    const source = open({ token });
    expect([...(await source.readRules()).keys()]).toEqual(['db', 'team/web']);
    expect(await source.readService(pg)).toHaveLength(1);
    expect(await source.readService({ service: 'nosuch', datacenter: undefined })).toEqual([]);
  });

  test('without a token', async () => {
    const source = open({});
    await expect(source.readRules()).rejects.toThrow(
      /^Consul at \S+ forbids the token to read key egress\/acl\/, which the rules below egress\/acl\/ needs: set a token in --consul-token \(CONSUL_HTTP_TOKEN\) whose policy has `key_prefix "egress\/acl\/" { policy = "read" }`\.$/,
    );
    await expect(source.readService(pg)).rejects.toThrow('forbids the token to read service pg');
  });

  test('with a wrong token, which is not shown', async () => {
    const token = randomUUID();
    const error = await open({ token })
      .readRules()
      .catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(
      'answered 403 (ACL not found), asked for the rules below egress/acl/: give a valid token',
    );
    expect(String(error)).not.toContain(token);
  });

  test('with a token for something else, or for a part', async () => {
    const other = open(await grant('key_prefix "other/" {policy="read"}'));
    await expect(other.readRules()).rejects.toThrow('forbids the token to read key egress/acl/');
    await expect(other.readService(pg)).rejects.toThrow('forbids the token to read service pg');
    const part = open(await grant('key_prefix "egress/acl/team/" {policy="read"}'));
    await expect(part.readRules()).rejects.toThrow('forbids the token to read key egress/acl/');
  });
});

describe('watching', () => {
  test('a token that is revoked, then put back', async () => {
    const { token, revoke } = await grant(everything);
    const { watch, changes } = recordRules(open({ token }));
    await until(() => watch.value?.size === 2, 'the first value');
    await revoke();
    await until(() => watch.error, 'the error');
    expect(watch.error?.message).toContain('answered 403');
    expect(watch.value?.size).toBe(2);
    expect(changes).toHaveLength(1);
  });

  test('a policy that loses its rights, and gets them back', async () => {
    const { token, change } = await grant(everything);
    const source = open({ token });
    const { watch, changes } = recordRules(source);
    const service = source.watchService(pg, () => {});
    await until(() => watch.value?.size === 2 && service.value?.length === 1, 'the first values');
    await change('key_prefix "other/" {policy="read"}');
    await until(() => watch.error && service.error, 'the errors');
    expect(watch.error?.message).toContain('forbids the token to read key egress/acl/');
    expect(service.error?.message).toContain('forbids the token to read service pg');
    expect([watch.value?.size, service.value?.length, changes.length]).toEqual([2, 1, 1]);
    await change(everything);
    await until(() => !watch.error && !service.error, 'the recovery');
    expect(changes).toHaveLength(1);
  });

  test('a policy that loses the right to one key, or to the nodes', async () => {
    const { token, change } = await grant(everything);
    const source = open({ token });
    const { watch } = recordRules(source);
    const service = source.watchService(pg, () => {});
    await until(() => watch.value?.size === 2 && service.value?.length === 1, 'the first values');
    await change(`${everything.replace(/node_prefix.*/, '')} key "egress/acl/db" {policy="deny"}`);
    await until(() => watch.error && service.error, 'the errors');
    expect(watch.error?.message).toContain('forbids the token to read key egress/acl/db');
    expect(service.error?.message).toContain('forbids the token to read node n1');
    expect([watch.value?.size, service.value?.length]).toEqual([2, 1]);
  });

  test('a token file that gets another token needs no restart', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, `${randomUUID()}\n`);
    const { watch } = recordRules(open({ tokenFile, token: 'unused' }));
    await until(() => watch.error?.message.includes('answered 403'), 'the error');
    expect(watch.value).toBeUndefined();
    const { token } = await grant(everything);
    writeFileSync(tokenFile, `${token}\n`);
    await until(() => watch.value?.size === 2, 'the rules');
    expect(watch.error).toBeUndefined();
    rmSync(tokenFile);
    await until(
      () => watch.error?.message.includes(`Cannot read the token file ${tokenFile}`),
      'the missing file',
    );
    expect(watch.value?.size).toBe(2);
  });

  test('a key that is deleted by right goes', async () => {
    const { token } = await grant(everything);
    const { watch } = recordRules(open({ token }));
    await until(() => watch.value?.size === 2, 'the first value');
    await consul.call('DELETE', '/v1/kv/egress/acl/team/web');
    await until(() => watch.value?.size === 1, 'the deletion');
    await consul.call('DELETE', '/v1/kv/egress/acl/?recurse');
    await until(() => watch.value?.size === 0, 'the empty folder');
    expect(watch.error).toBeUndefined();
  });
});
