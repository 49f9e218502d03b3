/**
 * `--max-age` on a real Consul that is away: rules that nobody confirms are taken back at that age, also by a
 * controller that was started meanwhile, and are there again when Consul is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import { RunningController } from '../support/egresstrator.ts';
import { protect } from '../support/faults.ts';
import {
  becomes,
  control,
  type Fixture,
  ipv4,
  openFixture,
  putKey,
  register,
  summary,
} from '../support/fixture.ts';
import { connects } from '../support/workloads.ts';

const SECONDS = 30;
const LOAD = ['-k', 'age/', '--loader', 'nsenter', '--register', 'none', '--consul-wait', '1'];

let fixture: Fixture;
let consul: Consul;
const folder = mkdtempSync(join(tmpdir(), 'egt-age-'));

beforeAll(async () => {
  fixture = await openFixture('20.10');
  consul = await startConsul({ dataDir: join(folder, 'consul') });
});
afterAll(async () => {
  await consul?.stop();
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('rules and services are taken back when Consul was away for so long, and come back with it', async () => {
  const server = ipv4(fixture.server);
  const own = { ...fixture, consul };
  await register(own, { node: 'n1', service: 'echo', address: server, port: 81 });
  await putKey(own, 'age/db', `${server}:tcp/80`);
  const args = [...LOAD, '-c', consul.address, '--max-age', `${SECONDS}s`];
  const first = await control(fixture, 'age/', args);
  const workload = await protect(fixture, 'age');
  await putKey(own, 'age/db', `${server}:tcp/80`, 'echo');
  await becomes(workload, server, 81, 'ok');
  const away = performance.now();
  await consul.kill();
  await waitFor(async () => (await first.status()).sources.some(({ error }) => error !== undefined), {
    what: 'the loss to be noticed',
    timeout: 60_000,
  });
  expect(await connects(workload, server, 80)).toBe('ok');

  await waitFor(async () => (await connects(workload, server, 80)) === 'refused', {
    what: 'the rules to be taken back',
    timeout: 60_000,
  });
  const lasted = performance.now() - away;
  expect(lasted).toBeGreaterThan((SECONDS - 5) * 1000);
  summary('Consul away until rules are taken back', [lasted]);
  expect(await connects(workload, server, 81)).toBe('refused');
  const { namespaces, sources } = await first.status();
  expect(namespaces.map(({ state }) => state)).toEqual(['isolated']);
  expect(sources.find(({ name }) => name === 'rules')).toMatchObject({ outdated: true });
  expect(await first.metrics()).toContain('egresstrator_sources_outdated{source="rules"} 1');

  await first.stop('SIGKILL');
  await using second = new RunningController({
    ...{ engine: fixture.engine, folder: first.folder },
    args: ['-i', fixture.image, ...args],
  });
  await second.logged(
    ({ reason }) => /the rules are older than --max-age/.test(String(reason)),
    'that it is too old',
  );
  expect(await connects(workload, server, 80)).toBe('refused');

  await consul.start();
  const answered = async () => (await second.status()).sources.every(({ error, known }) => known && !error);
  await waitFor(answered, { what: 'Consul to have answered', timeout: 60_000, interval: 5 });
  summary('Consul has answered until rules are back', [await becomes(workload, server, 80, 'ok')]);
  await becomes(workload, server, 81, 'ok');
  expect((await second.status()).sources.some(({ outdated }) => outdated)).toBe(false);
  await second.stop();
  rmSync(first.folder, { recursive: true, force: true });
});
