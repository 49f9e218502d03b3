/**
 * Somebody puts `accept` in front of a workload's rules on a real kernel, and the controller is started again: the
 * alteration is gone soon after, whatever the controller remembers, and so is what it let pass.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import { RunningController } from '../support/egresstrator.ts';
import { edit, protect } from '../support/faults.ts';
import { becomes, control, type Fixture, ipv4, openFixture } from '../support/fixture.ts';
import { fingerprint, handles, inside } from '../support/kernel.ts';
import { connects } from '../support/workloads.ts';
import { type GateLab, openGateLab } from './gate-lab.ts';

/** So seldom that only the start of a controller can mend anything. */
const SELDOM = ['--drift-interval', '3600'];
const ALTERED = 'rules in the kernel were changed';

const alter = (pid: number) =>
  execa('nsenter', [
    ...inside(pid).slice(1),
    'nft',
    'insert',
    'rule',
    'inet',
    'egresstrator_egress',
    'output',
    'accept',
  ]);

async function isAltered(pid: number): Promise<boolean> {
  const list = [...inside(pid).slice(1), 'nft', 'list', 'chain', 'inet', 'egresstrator_egress', 'output'];
  return /^\s*accept$/m.test((await execa('nsenter', list)).stdout);
}

describe('a controller that is started again', () => {
  let fixture: Fixture;
  beforeAll(async () => {
    fixture = await openFixture('28.5');
  });
  afterAll(() => fixture?.[Symbol.asyncDispose]());

  test.each([
    ['with all that it kept', [], true, 'SIGTERM'],
    ['killed before', [], true, 'SIGKILL'],
    ['without what it had loaded', ['loads.json'], false, 'SIGTERM'],
    ['without any state', ['loads.json', 'known.json'], false, 'SIGTERM'],
  ] as const)('%s', async (what, lost, tells, signal) => {
    const path = `tamper-${what.replaceAll(' ', '-')}`;
    const server = ipv4(fixture.server);
    await edit(fixture, path, 80);
    const args = ['--loader', 'nsenter', '--register', 'none', ...SELDOM];
    const first = await control(fixture, `${path}/`, args);
    const workload = await protect(fixture, path);
    const right = await fingerprint(workload.pid);
    // What was loaded is kept within a second.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await first.stop(signal);

    await alter(workload.pid);
    expect(await connects(workload, server, 81)).toBe('ok');
    const flow = await workload.probe.keep({ protocol: 'tcp', address: server, port: 81 });
    await waitFor(async () => (await workload.probe.flow(flow)).echoes > 0, { what: 'an echo' });
    for (const file of lost) rmSync(join(first.folder, 'state', file));

    await using second = new RunningController({
      ...{ engine: fixture.engine, folder: first.folder },
      args: ['-c', fixture.consul.address, '-k', `${path}/`, '-i', fixture.image, ...args],
    });
    await becomes(workload, server, 81, 'refused');
    expect(await isAltered(workload.pid)).toBe(false);
    expect(await fingerprint(workload.pid)).toBe(right);
    const isCut = async () => {
      const { error, silentFor } = await workload.probe.flow(flow);
      return error !== undefined || silentFor > 1_000;
    };
    await waitFor(isCut, { what: 'the connection that it let pass to be cut' });
    await becomes(workload, server, 80, 'ok');
    await second.ready();
    expect(second.log.some(({ msg }) => msg === ALTERED)).toBe(tells);
    expect(await second.metrics()).toContain(`egresstrator_drift_repairs_total ${tells ? 1 : 0}`);

    const loaded = await handles(workload.pid);
    await second.stop('SIGTERM');
    await using third = new RunningController({
      ...{ engine: fixture.engine, folder: first.folder },
      args: ['-c', fixture.consul.address, '-k', `${path}/`, '-i', fixture.image, ...args],
    });
    await third.ready();
    const verified = async () => (await third.status()).namespaces.every(({ verifiedAt }) => verifiedAt);
    await waitFor(verified, { what: 'the rules to be compared' });
    expect(await handles(workload.pid)).toBe(loaded);
    await fixture.workloads.remove(workload);
    await third.stop();
    rmSync(first.folder, { recursive: true, force: true });
  });
});

describe('a container that the gate has started', () => {
  let lab: GateLab;
  let consul: Consul;
  beforeAll(async () => {
    [lab, consul] = await Promise.all([openGateLab('28.5'), startConsul()]);
    await consul.call('PUT', '/v1/kv/gate/db', `${new URL(lab.allowed).hostname}:tcp/80`);
  });
  afterAll(async () => {
    await consul?.stop();
    await lab?.close();
  });

  const argsOf = (interval: string) => [
    ...['-c', consul.address, '-k', 'gate/', '--run-dir', lab.settings.runDir, '--prepare', 'db'],
    ...['--loader', 'nsenter', '--register', 'none', '--drift-interval', interval],
  ];
  const start = async () => {
    const asks = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'];
    const id = await lab.docker(
      'run',
      '-d',
      '--runtime',
      'egresstrator',
      '--network',
      'gate',
      ...asks,
      lab.image,
    );
    return { id, pid: Number(await lab.docker('inspect', '-f', '{{.State.Pid}}', id)) };
  };
  const fetches = async (id: string, url: string) =>
    (await lab.try('exec', id, 'timeout', '3', 'wget', '-qO-', url)).exitCode === 0;

  test.each([
    ['that runs on: the alteration is gone after the first comparison', '5', false],
    ['that is started again: the alteration is gone soon after', '3600', true],
  ])('under a controller %s', async (_what, interval, restarts) => {
    const first = new RunningController({ engine: lab.engine, args: argsOf(interval) });
    await first.ready();
    const { id, pid } = await start();
    const isProtected = async () =>
      (await first.status()).namespaces.some(({ state }) => state === 'protected');
    await waitFor(isProtected, { what: 'the workload to be protected' });
    // The gate has loaded them, so nobody has seen what the kernel held right then.
    expect(first.log.filter(({ msg }) => msg === 'rules loaded')).toEqual([]);
    await alter(pid);
    expect(await fetches(id, lab.forbidden)).toBe(true);
    if (restarts) await first.stop();
    const { folder } = first;
    await using last = restarts
      ? new RunningController({ engine: lab.engine, folder, args: argsOf(interval) })
      : first;
    await waitFor(async () => !(await isAltered(pid)), {
      what: 'the alteration to be gone',
      timeout: 60_000,
    });
    expect(await fetches(id, lab.forbidden)).toBe(false);
    expect(await fetches(id, lab.allowed)).toBe(true);
    await lab.docker('rm', '-f', id);
    await last.stop();
    rmSync(folder, { recursive: true, force: true });
  });
});
