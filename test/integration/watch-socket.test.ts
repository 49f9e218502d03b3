/**
 * The watch socket of a real controller: who may use it, that it answers GET alone, and what it sends to a reader of
 * the live state.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TABLE_NAMES } from '../../src/live/tables.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { eventually } from '../support/eventually.ts';
import { control, type Fixture, ipv4, openFixture, putKey, register } from '../support/fixture.ts';
import { readLive } from '../support/live-stream.ts';
import { connects, type Workload } from '../support/workloads.ts';

const PATH = 'watched/';
/** Its number is enough: the group need not exist. */
const GROUP = 47_110;

let fixture: Fixture;
let controller: RunningController;
let web: Workload;
let path: string;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  path = join(mkdtempSync(join(tmpdir(), 'egt-watch-')), 'watch', 'watch.sock');
  await putKey(fixture, `${PATH}app`, '# nothing yet');
  await putKey(fixture, `${PATH}shop`, 'shop');
  await register(fixture, { node: 'node-1', service: 'shop', address: ipv4(fixture.server), port: 80 });
  const watching = ['--watch-socket', path, '--watch-group', `${GROUP}`];
  controller = await control(fixture, PATH, ['--loader', 'nsenter', '--publish', ...watching]);
  web = await fixture.workloads.run('web', {
    acl: 'app',
    args: ['--label', 'com.docker.compose.project=storefront'],
  });
  await controller.logged(
    ({ msg, container }) => msg === 'rules loaded' && container === web.name,
    'rules loaded',
  );
});

afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
  rmSync(dirname(dirname(path)), { recursive: true, force: true });
});

const send = (url: string, method = 'GET'): Promise<readonly [number | undefined, string]> =>
  new Promise((resolve, reject) => {
    const call = request({ socketPath: path, path: url, method }, (response) => {
      text(response).then((body) => resolve([response.statusCode, body]), reject);
    });
    call.on('error', reject);
    call.end();
  });

/** The connections that were accepted at the watch socket: the socket itself has another state. */
const connections = (): number =>
  readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => / 03 +\d+ /.test(line) && line.endsWith(` ${path}`)).length;

/** The sockets that the controller has open. */
const sockets = (): number =>
  readdirSync(`/proc/${controller.pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${controller.pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;

test('is for one group, and the API stays its owner’s alone', () => {
  expect([statSync(path).mode & 0o777, statSync(path).gid]).toEqual([0o660, GROUP]);
  expect([statSync(dirname(path)).mode & 0o777, statSync(dirname(path)).gid]).toEqual([0o750, GROUP]);
  expect(statSync(controller.socket).mode & 0o777).toBe(0o600);
});

test('answers questions, and nothing that changes anything', async () => {
  expect((await send('/v1/status'))[0]).toBe(200);
  expect(await send('/v1/explain?container=nobody&target=10.0.0.1')).toEqual([
    400,
    expect.stringContaining('nobody'),
  ]);
  expect(JSON.parse((await send('/v1/services?name=shop'))[1])).toMatchObject({
    instances: [{ address: ipv4(fixture.server), port: 80, node: 'node-1' }],
  });
  for (const url of ['/v1/overrides', '/v1/ports', '/v1/diff', '/v1/status'])
    expect((await send(url, 'POST'))[0], url).toBe(405);
});

test('sends all of it, then edits and denials', async () => {
  const reader = readLive(path);
  const workload = await reader.until(({ workloads }) =>
    [...workloads.values()].find(({ target, state }) => target === web.name && state !== 'pending'),
  );
  expect(workload).toMatchObject({ project: 'storefront', grants: ['app'], ids: [web.id] });
  expect(reader.events[0]).toBe('snapshot');
  expect(Object.keys(reader.state)).toEqual([...TABLE_NAMES]);
  expect(reader.state.controller.get('controller')).toMatchObject({ loader: 'nsenter', kvPath: PATH });
  await reader.until(({ services }) => services.get('shop')?.instances[0]?.address === ipv4(fixture.server));
  expect(await connects(web, ipv4(fixture.server), 80)).toBe('refused');
  const denied = await reader.until(({ denied }) =>
    [...denied.values()].find(({ container, keys }) => container === web.name && keys.length > 0),
  );
  expect(denied).toMatchObject({
    address: ipv4(fixture.server),
    port: 80,
    services: ['shop'],
    keys: ['shop'],
  });
  await putKey(fixture, `${PATH}app`, 'shop');
  await reader.until(({ keys }) => keys.get('app')?.text === 'shop');
  await reader.until(({ events }) =>
    [...events.values()].some(({ subject, text }) => subject === 'app' && text === 'key edited, +1 −1 lines'),
  );
  await reader.until(({ events }) =>
    [...events.values()].some(
      ({ kind, subject, took }) => kind === 'load' && subject === web.name && took !== undefined,
    ),
  );
  await reader.until(({ hosts }) => [...hosts.values()].some(({ running }) => running));
  reader.close();
});

test('without a reader nothing is open for it', async () => {
  // The reader of the test before may still be there.
  const before = await eventually(() => {
    expect(connections()).toBe(0);
    return sockets();
  });
  const reader = readLive(path);
  await reader.until(({ controller: entries }) => entries.size > 0);
  expect(connections()).toBe(1);
  reader.close();
  await eventually(() => {
    expect(connections()).toBe(0);
    expect(sockets()).toBeLessThanOrEqual(before);
  });
});
