/**
 * Forwards on real Engines, with a caller outside: this machine, which reaches an Engine's containers through the
 * Engine's uplink as any router's neighbour would. Engine 28 takes half a minute to publish two thousand ports.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningController } from '../support/egresstrator.ts';
import { EngineHost, outcomeBecomes, publish } from '../support/engine-host.ts';
import { OLD_ENGINE, onOneEngine } from '../support/engines.ts';
import type { Workload } from '../support/workloads.ts';

onOneEngine((version) => {
  let host: EngineHost;
  let web: Workload;
  let other: Workload;
  let controller: RunningController;
  /** Of the host, to which published ports belong. */
  let address: string;

  beforeAll(async () => {
    host = await EngineHost.start(version, { daemonOptions: ['--iptables=false', '--userland-proxy=false'] });
    address = host.engine.publishedAddress;
    const args = publish('8080:80', '127.0.0.1:8082:80', `${address}:8083:81`);
    web = await host.workloads.run('web', { args });
    other = await host.workloads.run('other');
    await web.probe.serve([80, 81]);
    controller = await host.control(['--forwards', 'on']);
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  test('lead published ports to their container, from outside and from containers', async () => {
    await host.becomes(address, 8080, 'ok');
    expect(await host.answers(address, 8083)).toBe('ok');
    expect(await host.answers(address, 8080, other.probe)).toBe('ok');
  });

  test('lead a container to itself, as its bridge has hairpin mode', async () => {
    expect(await host.answers(address, 8080, web.probe)).toBe('ok');
  });

  test('lead to a container that was created before it runs', async () => {
    const name = host.workloads.nameOf('created');
    const label = `egresstrator-test=${host.workloads.prefix}`;
    const image = (await host.workloads.must('inspect', '--format', '{{.Config.Image}}', web.id)).trim();
    await host.workloads.must('create', '--name', name, '--label', label, '--publish', '8090:80', image);
    expect(await host.answers(address, 8090)).toBe('refused');
    await host.workloads.must('start', name);
    const created = await host.workloads.find('created');
    await created.probe.serve([80]);
    await host.becomes(address, 8090, 'ok');
    await host.workloads.remove(created);
    await host.becomes(address, 8090, 'refused');
  });

  test('lead a thousand ports of both protocols', async () => {
    const ports = ['21000-21999:11000-11999', '21000-21999:11000-11999/udp'];
    const many = await host.workloads.run('many', { args: publish(...ports) });
    await many.probe.serve([11_000, 11_999]);
    for (const port of [21_000, 21_999]) {
      await host.becomes(address, port, 'ok');
      await outcomeBecomes({ protocol: 'udp', address, port }, 'ok', host.outside);
    }
    await host.workloads.remove(many);
  });

  test('never lead a port of loopback anywhere', async () => {
    expect(await host.answers(address, 8082)).toBe('refused');
  });

  test('end with their container, and follow it to another address', async () => {
    await host.workloads.must('stop', '--time', '0', web.id);
    await host.becomes(address, 8080, 'refused');
    const taken = await host.workloads.run('takes-the-address');
    await host.workloads.must('start', web.id);
    const again = await host.workloads.find('web');
    await again.probe.serve([80]);
    expect(again.addresses.bridge?.ipv4).not.toBe(web.addresses.bridge?.ipv4);
    await host.becomes(address, 8080, 'ok');
    await host.workloads.remove(taken);
  });
}, OLD_ENGINE);
