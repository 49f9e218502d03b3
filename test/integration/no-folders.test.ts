/**
 * A controller that keeps nothing on disk: no state, no folder that it shares with a gate. Services are
 * watched as long as a running container refers to them, and known to one that starts again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import type { RunningController } from '../support/egresstrator.ts';
import { footprint, nothingLeaked } from '../support/footprint.ts';
import {
  becomes,
  control,
  deregister,
  ipv4,
  openStage,
  putKey,
  register,
  type Stage,
} from '../support/stage.ts';
import { connects } from '../support/workloads.ts';

let stage: Stage;
let controller: RunningController;

beforeAll(async () => {
  stage = await openStage('28.5');
  const none = ['--state-dir', 'none', '--run-dir', 'none', '--register', 'none'];
  controller = await control(stage, 'acl/', [...none, '--loader', 'nsenter']);
});
afterAll(async () => {
  await controller?.[Symbol.asyncDispose]();
  await stage?.[Symbol.asyncDispose]();
});

const sources = async () => (await controller.status()).sources.map(({ name }) => name);
const instance = (port: number) =>
  register(stage, { node: 'n1', service: 'web', address: ipv4(stage.server), port });

test('rules from services follow Consul, also for a container that starts again', async () => {
  const server = ipv4(stage.server);
  await putKey(stage, 'acl/db', 'web');
  await instance(80);
  const before = await footprint(controller, stage.workloads);
  const first = await stage.workloads.run('first', { acl: 'db' });
  await becomes(first, server, 81, 'refused');
  await becomes(first, server, 80, 'ok');
  expect(await sources()).toContain('service web');

  await stage.workloads.remove(first);
  const unwatched = async () => !(await sources()).includes('service web');
  await waitFor(unwatched, { what: 'the service to be left', timeout: 20_000 });
  await nothingLeaked(before, controller, stage.workloads);

  await instance(81);
  const second = await stage.workloads.run('second', { acl: 'db' });
  await becomes(second, server, 80, 'refused');
  await becomes(second, server, 81, 'ok');
  await deregister(stage, 'n1');
  await becomes(second, server, 81, 'refused');
  expect(await connects(second, ipv4(stage.other), 80)).toBe('refused');
  expect(controller.log.filter(({ level }) => level === 'error')).toEqual([]);
  await stage.workloads.remove(second);
});

test('its last known instances count where Consul is away when a container starts again', async () => {
  const server = ipv4(stage.server);
  await putKey(stage, 'acl/db', 'web');
  await instance(80);
  const first = await stage.workloads.run('before', { acl: 'db' });
  await becomes(first, server, 80, 'ok');
  await becomes(first, server, 81, 'refused');
  await stage.workloads.remove(first);
  const unwatched = async () => !(await sources()).includes('service web');
  await waitFor(unwatched, { what: 'the service to be left', timeout: 20_000 });
  await stage.consul.kill();
  const again = await stage.workloads.run('again', { acl: 'db' });
  await becomes(again, server, 81, 'refused');
  expect(await connects(again, server, 80)).toBe('ok');
  await stage.workloads.remove(again);
});
