/**
 * A controller that keeps nothing on disk: no state, no folder that it shares with a gate. Services are
 * watched as long as a running container refers to them, and known to one that starts again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
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
import { footprint, nothingLeaked } from '../support/footprint.ts';
import { connects } from '../support/workloads.ts';

let fixture: Fixture;
let controller: RunningController;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  // A container that starts before its key is seen has a problem.
  await putKey(fixture, 'acl/db', 'web');
  const none = ['--state-dir', 'none', '--run-dir', 'none', '--register', 'none'];
  controller = await control(fixture, 'acl/', [...none, '--loader', 'nsenter']);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await fixture?.[Symbol.asyncDispose]();
});

const sources = async () => (await controller.status()).sources.map(({ name }) => name);
const instance = (port: number) =>
  register(fixture, { node: 'n1', service: 'web', address: ipv4(fixture.server), port });

test('rules from services follow Consul, also for a container that starts again', async () => {
  const server = ipv4(fixture.server);
  await instance(80);
  const before = await footprint(controller, fixture.workloads);
  const first = await fixture.workloads.run('first', { acl: 'db' });
  await becomes(first, server, 81, 'refused');
  await becomes(first, server, 80, 'ok');
  expect(await sources()).toContain('service web');

  await fixture.workloads.remove(first);
  const unwatched = async () => !(await sources()).includes('service web');
  await waitFor(unwatched, { what: 'the service to be left', timeout: 60_000 });
  await nothingLeaked(before, controller, fixture.workloads);

  await instance(81);
  const second = await fixture.workloads.run('second', { acl: 'db' });
  await becomes(second, server, 80, 'refused');
  await becomes(second, server, 81, 'ok');
  await deregister(fixture, 'n1');
  await becomes(second, server, 81, 'refused');
  expect(await connects(second, ipv4(fixture.other), 80)).toBe('refused');
  expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
  await fixture.workloads.remove(second);
});

test('its last known instances count where Consul is away when a container starts again', async () => {
  const server = ipv4(fixture.server);
  await instance(80);
  const first = await fixture.workloads.run('before', { acl: 'db' });
  await becomes(first, server, 80, 'ok');
  await becomes(first, server, 81, 'refused');
  await fixture.workloads.remove(first);
  const unwatched = async () => !(await sources()).includes('service web');
  await waitFor(unwatched, { what: 'the service to be left', timeout: 60_000 });
  await fixture.consul.kill();
  const again = await fixture.workloads.run('again', { acl: 'db' });
  await becomes(again, server, 81, 'refused');
  expect(await connects(again, server, 80)).toBe('ok');
  await fixture.workloads.remove(again);
});
