/**
 * Forwards on real Engines, with a caller outside: this machine, which reaches an Engine's containers through the
 * Engine's uplink as any router's neighbour would.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, startController } from '../support/egresstrator.ts';
import { engineName, onEachEngine } from '../support/engines.ts';
import { ensureTestImage } from '../support/helper-image.ts';
import { type Probe, startProbe } from '../support/probes.ts';
import { type Workload, Workloads } from '../support/workloads.ts';

const NODE = 'host-under-test';
/** Milliseconds after which no answer is silence. */
const TIMEOUT = 1_500;

onEachEngine((version) => {
  let consul: Consul;
  let outside: Probe;

  beforeAll(async () => {
    consul = await startConsul();
    outside = startProbe(process.pid);
  });
  afterAll(async () => {
    await outside.close();
    await consul.stop();
  });

  const calls = async (address: string, port: number, from: Probe = outside): Promise<string> =>
    (await from.reach({ protocol: 'tcp', address, port }, TIMEOUT)).outcome;

  const becomes = (address: string, port: number, outcome: string, from: Probe = outside) =>
    waitFor(async () => (await calls(address, port, from)) === outcome, {
      what: `${address}:${port} to be ${outcome}`,
      timeout: 30_000,
      interval: 50,
    });

  const control = (engine: OwnEngine, image: string, ...args: readonly string[]) =>
    startController({
      engine,
      args: ['-c', consul.address, '-i', image, '--node', NODE, ...args],
    });

  describe('forwards on an Engine that makes no rules', () => {
    let engine: OwnEngine;
    let workloads: Workloads;
    let web: Workload;
    let other: Workload;
    let controller: RunningController;

    beforeAll(async () => {
      engine = await startEngine({
        ...{ version, name: engineName(`forwards-${version}`), diesWithParent: true },
        daemonOptions: ['--iptables=false', '--userland-proxy=false'],
      });
      const image = await ensureTestImage(engine);
      workloads = await Workloads.on(engine);
      const publish = ['8080:80', '127.0.0.1:8082:80', `${engine.publishedAddress}:8083:81`];
      web = await workloads.run('web', { args: publish.flatMap((one) => ['--publish', one]) });
      other = await workloads.run('other');
      await web.probe.serve([80, 81]);
      controller = await control(engine, image, '--forwards', 'on');
    });
    afterAll(async () => {
      await controller[Symbol.asyncDispose]();
      await workloads[Symbol.asyncDispose]();
      await engine.remove();
    });

    test('lead published ports to their container, from outside and from containers', async () => {
      await becomes(engine.publishedAddress, 8080, 'ok');
      expect(await calls(engine.publishedAddress, 8083)).toBe('ok');
      expect(await calls(engine.publishedAddress, 8080, other.probe)).toBe('ok');
    });

    test('lead a container to itself, as its bridge has hairpin mode', async () => {
      expect(await calls(engine.publishedAddress, 8080, web.probe)).toBe('ok');
    });

    test('lead to a container that was created before it runs', async () => {
      const name = workloads.nameOf('created');
      const label = `egresstrator-test=${workloads.prefix}`;
      const image = (await workloads.must('inspect', '--format', '{{.Config.Image}}', web.id)).trim();
      await workloads.must('create', '--name', name, '--label', label, '--publish', '8090:80', image);
      expect(await calls(engine.publishedAddress, 8090)).toBe('refused');
      await workloads.must('start', name);
      const created = await workloads.find('created');
      await created.probe.serve([80]);
      await becomes(engine.publishedAddress, 8090, 'ok');
      await workloads.remove(created);
      await becomes(engine.publishedAddress, 8090, 'refused');
    });

    test('lead a thousand ports of both protocols', async () => {
      const publish = ['21000-21999:11000-11999', '21000-21999:11000-11999/udp'];
      const many = await workloads.run('many', { args: publish.flatMap((one) => ['--publish', one]) });
      await many.probe.serve([11_000, 11_999]);
      for (const port of [21_000, 21_999]) {
        await becomes(engine.publishedAddress, port, 'ok');
        const udp = await outside.reach({ protocol: 'udp', address: engine.publishedAddress, port }, TIMEOUT);
        expect(udp.outcome).toBe('ok');
      }
      await workloads.remove(many);
    });

    test('never lead a port of loopback anywhere', async () => {
      expect(await calls(engine.publishedAddress, 8082)).toBe('refused');
    });

    test('end with their container, and follow it to another address', async () => {
      await workloads.must('stop', '--time', '0', web.id);
      await becomes(engine.publishedAddress, 8080, 'refused');
      const taken = await workloads.run('takes-the-address');
      await workloads.must('start', web.id);
      const again = await workloads.find('web');
      await again.probe.serve([80]);
      expect(again.addresses.bridge?.ipv4).not.toBe(web.addresses.bridge?.ipv4);
      await becomes(engine.publishedAddress, 8080, 'ok');
      await workloads.remove(taken);
    });
  });
});
