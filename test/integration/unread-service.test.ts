/**
 * A key that names a service of a datacenter that Consul does not know. It answers for everything else, so what
 * was revoked must be gone, whether or not the controller was started anew and has kept its state.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { startController } from '../support/egresstrator.ts';
import { becomes, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { connects, type Workload } from '../support/workloads.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-unread-'));
let fixture: Fixture;
let workload: Workload;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  workload = await fixture.workloads.run('reader', { acl: 'db' });
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const start = () => {
  const args = ['-c', fixture.consul.address, '-k', 'unread/', '-i', fixture.image, '--loader', 'nsenter'];
  return startController({ engine: fixture.engine, args, folder, until: 'listening' });
};

const grant = (...ports: readonly string[]) =>
  putKey(fixture, 'unread/db', ...ports.map((port) => `${ipv4(fixture.server)}:tcp/${port}`), 'web@dc9');

test.each([
  ['is kept', () => {}],
  ['is lost', () => rmSync(join(folder, 'state'), { recursive: true, force: true })],
])('what was revoked is gone after a restart of the controller whose state %s', async (_what, lose) => {
  const server = ipv4(fixture.server);
  await grant('80', '81');
  const before = await start();
  await becomes(workload, server, 82, 'refused');
  await becomes(workload, server, 81, 'ok');
  await before.stop();
  lose();
  await grant('80');
  await using after = await start();
  await becomes(workload, server, 81, 'refused');
  await grant('81');
  await becomes(workload, server, 80, 'refused');
  await becomes(workload, server, 81, 'ok');
  const reports = async () => {
    const [found] = (await after.status()).namespaces;
    return found?.state === 'protected' && found.problems.some(({ text }) => text === 'web@dc9');
  };
  await waitFor(reports, { what: 'status to name the service', timeout: 60_000 });
  expect(await connects(workload, server, 82)).toBe('refused');
  await after.stop();
});
