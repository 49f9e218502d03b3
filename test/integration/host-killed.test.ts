/**
 * The ports guard on real Engines while its table is removed by others, and while the controller is killed in the middle of
 * loads: what was closed before stays closed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli, startController } from '../support/egresstrator.ts';
import { engineName, onEachEngine } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type Probe, startProbe } from '../support/probes.ts';
import { type Workload, Workloads } from '../support/workloads.ts';

const NODE = 'host-under-test';
const [OPEN, CLOSED] = [80, 81];
const TABLE = ['inet', 'egresstrator_host'];
/** Milliseconds from a change of what is registered to the kill: before, in and after the load that it causes. */
const KILLS = [30, 120, 300];

onEachEngine((version) => {
  let consul: Consul;
  let engine: OwnEngine;
  let image: string;
  let workloads: Workloads;
  let web: Workload;
  let outside: Probe;
  let controller: RunningController;

  const nft = async (...args: readonly string[]) => {
    const [file = '', ...prefix] = engine.networkPrefix;
    return execa(file, [...prefix, 'nft', ...args], { reject: false });
  };
  const isLoaded = async () => (await nft('list', 'table', ...TABLE)).exitCode === 0;

  const calls = async (port: number, timeout = 1_500): Promise<string> => {
    const address = web.addresses.bridge?.ipv4 ?? '';
    return (await outside.reach({ protocol: 'tcp', address, port }, timeout)).outcome;
  };
  const becomes = (port: number, outcome: string) =>
    waitFor(async () => (await calls(port)) === outcome, {
      what: `${port} to be ${outcome}`,
      timeout: 60_000,
    });

  /** Ids of services for the open port, besides the first one: each change of them is a load. */
  const register = (id: string, port: number) =>
    consul.call('PUT', '/v1/catalog/register', {
      ...{ Node: NODE, Address: '192.0.2.1' },
      Service: { ID: id, Service: id, Address: web.addresses.bridge?.ipv4, Port: port },
    });

  const start = async (folder?: string): Promise<RunningController> =>
    startController({
      engine,
      ...(folder === undefined ? {} : { folder }),
      args: [
        ...['-i', image, '-c', consul.address, '--node', NODE, '--ports', 'enforce'],
        // What is repaired here is not found by a scan.
        ...['--ports-family', 'both', '--drift-interval', '3600'],
      ],
    });

  beforeAll(async () => {
    consul = await startConsul();
    outside = startProbe(process.pid);
    const name = engineName(`killed-${version}`);
    engine = await startEngine({ version, name, diesWithParent: true });
    image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    web = await workloads.run('web');
    await web.probe.serve([OPEN, CLOSED]);
    await register('web', OPEN);
    controller = await start();
    await becomes(CLOSED, 'timeout');
    await becomes(OPEN, 'ok');
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await outside?.close();
    await consul?.stop();
    await workloads?.[Symbol.asyncDispose]();
    await engine?.remove();
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
      await register(`web-${round}`, 1_000 + round);
      await sleep(ms);
      await controller.stop('SIGKILL');
      expect(await isLoaded()).toBe(true);
      expect(await calls(OPEN)).toBe('ok');
      controller = await start(folder);
    }
    watching.abort();
    await watch;
    expect([...outcomes]).toEqual(['timeout']);
  });

  test('where no controller runs, a table that was removed is back by a command', async () => {
    const { folder, socket } = controller;
    await controller.stop('SIGKILL');
    await nft('delete', 'table', ...TABLE);
    const folders = ['--state-dir', `${folder}/state`, '--socket', socket];
    const docker = ['--docker-host', `unix://${engine.socketPath}`, '-i', image];
    const { code, stderr } = await runCli(['host', 'restore', ...docker, ...folders]);
    expect([code, stderr]).toEqual([0, '']);
    expect(await calls(CLOSED)).toBe('timeout');
    await becomes(OPEN, 'ok');
  });
});
