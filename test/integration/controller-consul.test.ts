/**
 * The controller and Consuls that are not open to everybody: tokens by flag, environment and file, TLS
 * with client certificates, services of another datacenter.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type Environment, startController } from '../support/egresstrator.ts';
import {
  becomes,
  control,
  deregister,
  type Fixture,
  ipv4,
  openFixture,
  putKey,
  register,
} from '../support/fixture.ts';
import { connects, type Workload } from '../support/workloads.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-consul-'));
let fixture: Fixture;
let workload: Workload;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  workload = await fixture.workloads.run('client', { acl: 'db' });
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('a Consul with ACLs and TLS', () => {
  let consul: Consul;
  /** May read the rules and nothing else. */
  let token: string;
  beforeAll(async () => {
    consul = await startConsul({ acl: true, tls: 'mutual' });
    const policy = { Name: 'egresstrator', Rules: 'key_prefix "acl/" { policy = "read" }' };
    await consul.call('PUT', '/v1/acl/policy', policy);
    const made = await consul.call('PUT', '/v1/acl/token', { Policies: [{ Name: policy.Name }] });
    token = String(Object(made.body).SecretID);
    writeFileSync(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
  });
  afterAll(() => consul?.stop());

  const files = () => {
    const { certificates } = consul;
    if (certificates === undefined) throw new Error('no certificates');
    return { ca: certificates.caFile, cert: certificates.client.certFile, key: certificates.client.keyFile };
  };
  const hostAndPort = () => consul.address.replace('https://', '');

  const flags = (): readonly string[] => {
    const { ca, cert, key } = files();
    const tls = ['--ssl', '--ssl-ca-cert', ca, '--ssl-cert', cert, '--ssl-key', key];
    return ['-c', hostAndPort(), ...tls];
  };
  const variables = (): Environment => {
    const { ca, cert, key } = files();
    const tls = { CONSUL_CACERT: ca, CONSUL_CLIENT_CERT: cert, CONSUL_CLIENT_KEY: key };
    return { CONSUL_HTTP_ADDR: hostAndPort(), CONSUL_HTTP_SSL: 'true', ...tls };
  };
  const ways: Record<string, () => { readonly args: readonly string[]; readonly environment?: Environment }> =
    {
      flags: () => ({ args: [...flags(), '-t', token] }),
      variables: () => ({ args: [], environment: { ...variables(), CONSUL_HTTP_TOKEN: token } }),
      'a file by flag': () => ({ args: [...flags(), '--consul-token-file', join(folder, 'token')] }),
      'a file by variable': () => ({
        args: ['-c', consul.address],
        environment: { ...variables(), CONSUL_HTTP_TOKEN_FILE: join(folder, 'token') },
      }),
    };

  test.each(Object.keys(ways))('is read with token and certificates by %s', async (name) => {
    const { args = [], environment = {} } = ways[name]?.() ?? {};
    const server = ipv4(fixture.server);
    await consul.call('PUT', '/v1/kv/acl/db', `${server}:tcp/80`);
    const own = ['-k', 'acl', '-i', fixture.image, '--loader', 'nsenter'];
    await using controller = await startController({
      engine: fixture.engine,
      args: [...own, ...args],
      environment,
    });
    await becomes(workload, server, 81, 'refused');
    await becomes(workload, server, 80, 'ok');
    await consul.call('PUT', '/v1/kv/acl/db', `${server}:tcp/81`);
    await becomes(workload, server, 81, 'ok');
    expect(await connects(workload, server, 80)).toBe('refused');
    expect(controller.output).not.toContain(token);
  });

  test('that refuses the token leaves nothing open: what is not known is not allowed', async () => {
    const fresh = await fixture.workloads.run('fresh', { acl: 'db' });
    const args = [
      ...flags(),
      '-k',
      'acl',
      '-t',
      'b9a3a8a4-0000-0000-0000-000000000000',
      '--loader',
      'nsenter',
    ];
    await using controller = await startController({ engine: fixture.engine, args, until: 'listening' });
    await becomes(fresh, ipv4(fixture.server), 80, 'refused');
    const complaint = await controller.logged(
      ({ reason }) => String(reason).includes('403'),
      'a refused token',
    );
    expect(complaint).toMatchObject({ level: 'error', msg: 'problem found' });
    expect(complaint.reason).toContain('give a valid token that may do this, in --consul-token');
    await fixture.workloads.remove(fresh);
  });
});

test('instances of another datacenter count where the rule names it', async () => {
  const { consul, server, other } = fixture;
  const second = await startConsul({ datacenter: 'dc2', joinWan: consul.wanAddresses });
  try {
    await register({ consul: second }, { node: 'far', service: 'pg', address: ipv4(other), port: 80 });
    await register(fixture, { node: 'partial-match', service: 'pg', address: ipv4(server), port: 80 });
    await putKey(fixture, 'dc/db', 'pg@dc2');
    await using controller = await control(fixture, 'dc/', ['--loader', 'nsenter']);
    await becomes(workload, ipv4(other), 80, 'ok');
    await becomes(workload, ipv4(server), 80, 'refused');
    await putKey(fixture, 'dc/db', 'pg');
    await becomes(workload, ipv4(server), 80, 'ok');
    expect(await connects(workload, ipv4(other), 80)).toBe('refused');
    await putKey(fixture, 'dc/db', 'pg@dc2');
    await becomes(workload, ipv4(other), 80, 'ok');
    await register({ consul: second }, { node: 'far', service: 'pg', address: ipv4(other), port: 81 });
    await becomes(workload, ipv4(other), 81, 'ok');
    await deregister({ consul: second }, 'far');
    await becomes(workload, ipv4(other), 81, 'refused');
    expect((await controller.status()).sources.filter(({ error }) => error)).toEqual([]);
  } finally {
    await second.stop();
  }
});

test('Consul that goes away leaves the rules as they are, also for a controller that starts then', async () => {
  const { server, workloads } = fixture;
  const away = await startConsul();
  try {
    await away.call('PUT', '/v1/kv/acl/db', `${ipv4(server)}:tcp/80`);
    const args = ['-c', away.address, '-k', 'acl/', '--loader', 'nsenter'];
    const controller = await startController({ engine: fixture.engine, args });
    await becomes(workload, ipv4(server), 81, 'refused');
    await becomes(workload, ipv4(server), 80, 'ok');
    await away.kill();
    const late = await workloads.run('late', { acl: 'db' });
    await becomes(late, ipv4(server), 81, 'refused');
    expect(await connects(late, ipv4(server), 80)).toBe('ok');
    await controller.stop();
    const { folder: known } = controller;
    const next = await startController({ engine: fixture.engine, args, folder: known, until: 'listening' });
    const later = await workloads.run('later', { acl: 'db' });
    await becomes(later, ipv4(server), 81, 'refused');
    expect(await connects(later, ipv4(server), 80)).toBe('ok');
    expect(await connects(late, ipv4(server), 80)).toBe('ok');
    await next.stop();
    await controller[Symbol.asyncDispose]();
    await workloads.remove(late, later);
  } finally {
    await away.stop();
  }
});
