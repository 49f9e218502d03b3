/**
 * The ports guard on real Engines while its table is removed by others, and while the controller is killed in the middle of
 * loads: what was closed before stays closed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost } from '../support/engine-host.ts';
import { onOneEngine } from '../support/engines.ts';
import type { Workload } from '../support/workloads.ts';

const [OPEN, CLOSED] = [80, 81];
const TABLE = ['inet', 'egresstrator_host'];
/** Milliseconds from a change of what is registered to the kill: before, in and after the load that it causes. */
const KILLS = [30, 120, 300];

onOneEngine((version) => {
  let host: EngineHost;
  let web: Workload;
  let controller: RunningController;

  const nft = (...args: readonly string[]) => host.run('nft', ...args);
  const isLoaded = async () => (await nft('list', 'table', ...TABLE)).code === 0;
  const calls = (port: number, timeout?: number) => host.calls(addressOf(web), port, host.outside, timeout);
  const becomes = (port: number, outcome: 'ok' | 'timeout') => host.becomes(addressOf(web), port, outcome);

  const start = (folder?: string): Promise<RunningController> => {
    // What is repaired here is not found by a scan.
    const args = ['--ports', 'enforce', '--ports-family', 'both', '--drift-interval', '3600'];
    return host.control(args, folder === undefined ? {} : { folder });
  };

  beforeAll(async () => {
    host = await EngineHost.start(version);
    web = await host.workloads.run('web');
    await web.probe.serve([OPEN, CLOSED]);
    await host.register('web', addressOf(web), OPEN);
    controller = await start();
    await becomes(CLOSED, 'timeout');
    await becomes(OPEN, 'ok');
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  test('a table that another program removes is back without a scan', async () => {
    await nft('delete', 'table', ...TABLE);
    await waitFor(isLoaded, { what: 'the table to be back', timeout: 30_000 });
    expect(await calls(CLOSED)).toBe('timeout');
    await becomes(OPEN, 'ok');
  });

  test('chains and sets that are emptied are filled again without a scan', async () => {
    await nft('flush', 'chain', ...TABLE, 'guard');
    await becomes(CLOSED, 'timeout');
    await nft('flush', 'table', ...TABLE);
    await becomes(CLOSED, 'timeout');
    await becomes(OPEN, 'ok');
  });

  test('a kill in the middle of a load opens nothing', async () => {
    const outcomes = new Set<string>();
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) outcomes.add(await calls(CLOSED, 200));
    })();
    const { folder } = controller;
    for (const [round, ms] of KILLS.entries()) {
      // Another service at this address: each change of them is a load.
      await host.register(`web-${round}`, addressOf(web), 1_000 + round);
      await sleep(ms);
      await controller.stop('SIGKILL');
      expect(await isLoaded()).toBe(true);
      expect(await host.answers(addressOf(web), OPEN)).toBe('ok');
      controller = await start(folder);
    }
    watching.abort();
    await watch;
    expect([...outcomes]).toEqual(['timeout']);
  }, 300_000);

  test('where no controller runs, a table that was removed is back by a command', async () => {
    const { folder, socket } = controller;
    await controller.stop('SIGKILL');
    await nft('delete', 'table', ...TABLE);
    const folders = ['--state-dir', `${folder}/state`, '--socket', socket];
    const docker = ['--docker-host', `unix://${host.engine.socketPath}`, '-i', host.image];
    const { code, stderr } = await runCli(['host', 'restore', ...docker, ...folders]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await calls(CLOSED)).toBe('timeout');
    await becomes(OPEN, 'ok');
  });
});
