/**
 * `doctor` and `keys` on a real host: an Engine, a Consul with ACLs, a controller, and a user without rights.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { packageVersion, runCli } from '../support/egresstrator.ts';
import { control, type Fixture, openFixture, putKey } from '../support/fixture.ts';
import { answerBytes, startNameServer } from '../unit/name-proxy/name-servers.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-doctor-'));
let fixture: Fixture;
let guarded: Consul;
beforeAll(async () => {
  chmodSync(folder, 0o755);
  [fixture, guarded] = await Promise.all([openFixture('28.5'), startConsul({ acl: true })]);
  await putKey(fixture, 'look/held', '10.0.0.0/24:tcp/80', '10.0.1.0/24:tcp/80');
  await putKey(fixture, 'look/idle', '10.0.0.1:tcp/80', 'what is this');
  await fixture.workloads.start('holds', { acl: 'held,missing' });
}, 120_000);
afterAll(async () => {
  await guarded?.stop();
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const places = (socket = join(folder, 'none.sock')) => [
  ...['-H', `unix://${fixture.engine.socketPath}`, '-k', 'look/', '-i', fixture.image, '--socket', socket],
  ...['-c', fixture.consul.address],
];

interface Check {
  readonly topic: string;
  readonly health: string;
  readonly message: string;
}

async function checked(args: readonly string[], environment = {}) {
  const { code, stdout, stderr } = await runCli(
    ['doctor', '--lib-dir', join(folder, 'lib'), ...args, '--json'],
    environment,
  );
  const { checks } = JSON.parse(stdout);
  const of = (topic: string) => checks.find((one: Check) => one.topic === topic);
  return { code, stderr, of };
}

test('doctor finds what is there', async () => {
  await using controller = await control(fixture, 'look/');
  const { code, of } = await checked(places(controller.socket));
  expect(of('docker engine')).toMatchObject({ health: 'ok', message: expect.stringContaining('28.5') });
  expect(of('engine setup')).toMatchObject({ health: 'ok' });
  expect(of('nftables')).toMatchObject({ health: 'ok' });
  expect(of('helper image')).toMatchObject({ health: 'ok', message: fixture.image });
  expect(of('consul')).toMatchObject({ health: 'ok', message: 'it answers, with 2 ACL keys' });
  expect(of('controller')).toMatchObject({
    ...{ health: 'ok', message: `version ${packageVersion()}, as this program` },
  });
  expect(of('gate')).toMatchObject({ health: 'warning', message: expect.stringContaining('not installed') });
  expect(code).toBe(0);
});

test('doctor tells what a token may not read', async () => {
  const { code, of } = await checked([...places(), '-c', guarded.address]);
  expect(of('consul')).toMatchObject({ health: 'error' });
  expect(of('consul permissions')).toMatchObject({
    ...{ health: 'error', message: 'the token may not read keys, services and nodes' },
  });
  expect(code).toBe(1);
  const may = await checked([...places(), '-c', guarded.address], {
    CONSUL_HTTP_TOKEN: guarded.bootstrapToken ?? '',
  });
  expect(may.of('consul permissions')).toMatchObject({ health: 'ok' });
});

test('doctor asks the resolvers for a name of the keys', async () => {
  expect((await checked(places())).of('rules by name')).toMatchObject({
    ...{ health: 'ok', message: 'no key has one' },
  });
  await putKey(fixture, 'named/api', 'api.example.com:tcp/443');
  const upstream = await startNameServer((one) => one.answer(answerBytes(one, ['203.0.113.7'])));
  const address = `127.0.0.1:${upstream.endpoint.port}`;
  const args = [...places(), '-k', 'named/', '--names-upstream', address];
  const { of } = await checked(args);
  expect(of('rules by name')).toMatchObject({ health: 'ok', message: 'the keys have 1' });
  expect(of('name resolvers')).toMatchObject({ health: 'ok', message: `${address} answers` });
  upstream.close();
  const silent = await checked([...args, '--loader', 'helper']);
  expect(silent.of('rules by name')).toMatchObject({
    ...{ health: 'error', message: expect.stringContaining('--loader helper') },
  });
  expect(silent.of('name resolvers')).toMatchObject({
    ...{ health: 'error', message: `${address} does not answer, so no name is answered` },
  });
  expect(silent.code).toBe(1);
});

test('doctor works without an Engine, Consul and controller, and changes nothing', async () => {
  const nowhere = ['-H', `unix://${folder}/none`, '-c', '127.0.0.1:1', '--socket', join(folder, 'none.sock')];
  const { code, stderr, of } = await checked(nowhere);
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'egresstrator: 2 errors: this host is not ready' });
  expect(of('docker engine')).toMatchObject({
    health: 'error',
    message: expect.stringContaining('no Docker Engine'),
  });
  expect(of('consul')).toMatchObject({ health: 'error', message: expect.stringContaining('127.0.0.1:1') });
});

test('keys tells who holds each, with a controller and without', async () => {
  const holder = `${fixture.workloads.prefix}-holds`;
  const wanted = [
    { key: 'held', exists: true, rules: 2, destinations: 2, heldBy: [holder], problems: [] },
    { key: 'idle', exists: true, rules: 1, heldBy: [], problems: [{ line: 2 }] },
    { key: 'missing', exists: false, rules: 0, heldBy: [holder] },
  ];
  const alone = await runCli(['keys', '--json', ...places()]);
  expect(JSON.parse(alone.stdout).keys).toMatchObject(wanted);
  await using controller = await control(fixture, 'look/');
  const asked = await runCli(['keys', '--json', ...places(controller.socket)]);
  expect(JSON.parse(asked.stdout).keys).toMatchObject(wanted);
  const text = await runCli(['keys', ...places(controller.socket)]);
  expect(text.stdout).toMatch(/^missing .*; not in Consul$/m);
  expect(text.stdout).toMatch(/^idle .* no workload here$/m);
});
