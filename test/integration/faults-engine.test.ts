/**
 * The Engine in trouble: restarted with and without live-restore, killed, its event stream cut or stalled.
 * Containers that go on stay protected, those that start meanwhile are protected as soon as they are seen.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { becomes, ipv4, summary } from '../support/fixture.ts';
import { footprint, nothingLeaked } from '../support/footprint.ts';
import { Guard } from '../support/guard.ts';
import { handles } from '../support/kernel.ts';
import { Relay } from '../support/relay.ts';
import { connects, type Workload, Workloads } from '../support/workloads.ts';

onEachEngine((version) => {
  let folder: string;
  let engine: OwnEngine;
  let consul: Consul;
  let relay: Relay;
  let workloads: Workloads;
  let controller: RunningController;
  let server: Workload;

  const start = (...daemonOptions: readonly string[]) =>
    startEngine({ version, name: `faults-${version}`, daemonOptions, diesWithParent: true });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'egt-faults-'));
    engine = await start();
    consul = await startConsul();
    workloads = await Workloads.on(engine);
    relay = await Relay.open({ to: { path: engine.socketPath }, at: join(folder, 'docker.sock') });
    controller = await startController({
      engine: { socketPath: join(folder, 'docker.sock') },
      args: ['-c', consul.address, '-k', 'acl/', '--loader', 'nsenter', '--drift-interval', '1'],
    });
    await workloads.start('server', { args: ['--restart', 'always'] });
    await serveAgain();
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await relay?.[Symbol.asyncDispose]();
    await workloads?.[Symbol.asyncDispose]();
    await consul?.stop();
    await engine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Its address may be another one after a restart of the Engine. */
  async function serveAgain(): Promise<void> {
    server = await workloads.find('server');
    await server.probe.serve([80, 81]);
    await key(80);
  }

  const key = (...ports: readonly number[]) =>
    consul.call('PUT', '/v1/kv/acl/db', `${ipv4(server)}:tcp/${ports.join()}`);

  async function protect(name: string, ...args: readonly string[]): Promise<Workload> {
    const workload = await workloads.run(name, { acl: 'db', args });
    await becomes(workload, ipv4(server), 81, 'refused');
    await becomes(workload, ipv4(server), 80, 'ok');
    return workload;
  }

  const guardOver = (workload: Workload, { allowed = true } = {}) => {
    const to = (port: number) => ({ protocol: 'tcp', address: ipv4(server), port }) as const;
    return new Guard([{ workload, denied: [to(81)], allowed: allowed ? [to(80)] : [] }]);
  };

  const pidAfter = async (name: string, before: number): Promise<number> => {
    const look = async () => {
      const { stdout } = await workloads.docker('inspect', '-f', '{{.State.Pid}}', workloads.nameOf(name));
      return Number(stdout) > 0 && Number(stdout) !== before && Number(stdout);
    };
    return waitFor(look, { what: `${name} to run again`, timeout: 60_000 });
  };

  test('restarted without live-restore: what runs again is protected again', async () => {
    const workload = await protect('again', '--restart', 'always');
    await using guard = guardOver(workload, { allowed: false });
    await engine.restart();
    const up = performance.now();
    await pidAfter('again', workload.pid);
    await pidAfter('server', server.pid);
    const again = await workloads.find('again');
    await serveAgain();
    await becomes(again, ipv4(server), 81, 'refused');
    await becomes(again, ipv4(server), 80, 'ok');
    summary(`Engine ${version}: restart to protected again`, [performance.now() - up]);
    expect((await guard.stop()).breaches).toEqual([]);
    const { namespaces } = await controller.status();
    expect(namespaces.map(({ target }) => target)).toEqual([again.name]);
    await workloads.remove(again);
  });

  describe('with live-restore', () => {
    beforeAll(async () => {
      engine = await start('--live-restore');
      await pidAfter('server', server.pid);
      await serveAgain();
    });

    test.each([
      ['restarted', () => engine.restart()],
      [
        'killed and started again',
        async () => {
          await engine.kill();
          await engine.start();
        },
      ],
    ])('%s: nothing changes for what goes on', async (_what, fault) => {
      const workload = await protect('kept');
      const before = await footprint(controller, workloads);
      await using guard = guardOver(workload);
      const loaded = await handles(workload.pid);
      await fault();
      await becomes(await protect('new'), ipv4(server), 81, 'refused');
      expect(await handles(workload.pid)).toBe(loaded);
      const { breaches, losses } = await guard.stop();
      expect({ breaches, losses }).toEqual({ breaches: [], losses: [] });
      await workloads.remove(workload, await workloads.find('new'));
      await nothingLeaked(before, controller, workloads);
    });

    test('away: an edit still counts', async () => {
      const workload = await protect('edited');
      await engine.kill();
      try {
        await key(80, 81);
        await becomes(workload, ipv4(server), 81, 'ok');
        await key(80);
        await becomes(workload, ipv4(server), 81, 'refused');
        await using guard = guardOver(workload);
        const { sources } = await controller.status();
        expect(sources.find(({ name }) => name === 'containers')?.error).toMatch(/Docker Engine/);
        const { breaches, losses } = await guard.stop();
        expect({ breaches, losses }).toEqual({ breaches: [], losses: [] });
      } finally {
        await engine.start();
      }
      const healthy = async () => (await controller.status()).sources.every(({ error }) => !error);
      await waitFor(healthy, { what: 'the Engine to be found again', timeout: 60_000 });
      await workloads.remove(workload);
    });

    test('its event stream cut again and again: no start is missed', async () => {
      const workload = await protect('streamed');
      const before = await footprint(controller, workloads);
      await using guard = guardOver(workload);
      for (let round = 0; round < 5; round += 1) {
        relay.cut({ again: true });
        const next = await workloads.run(`cut-${round}`, { acl: 'db' });
        await becomes(next, ipv4(server), 81, 'refused');
        await becomes(next, ipv4(server), 80, 'ok');
        await workloads.remove(next);
      }
      const { breaches, losses } = await guard.stop();
      expect({ breaches, losses }).toEqual({ breaches: [], losses: [] });
      await workloads.remove(workload);
      await nothingLeaked(before, controller, workloads);
    });

    test('stalled: a start of that time is seen afterwards', async () => {
      const workload = await protect('before-stall');
      await using guard = guardOver(workload);
      relay.stall();
      const late = await workloads.run('in-stall', { acl: 'db' });
      await key(80, 81);
      await becomes(workload, ipv4(server), 81, 'ok').catch(() => {});
      await key(80);
      await becomes(workload, ipv4(server), 81, 'refused');
      relay.heal();
      await becomes(late, ipv4(server), 81, 'refused');
      expect(await connects(late, ipv4(server), 80)).toBe('ok');
      expect((await guard.stop()).losses).toEqual([]);
      await workloads.remove(workload, late);
    });
  });
});
