/**
 * Where the host's rules come from, on real Engines: containers that speak of their services, registrations that
 * outlive their container, and an Engine that is told to make rules or not to.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { DeniedInReply } from '../../src/daemon/api/host-schema.ts';
import { PROGRAM, type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost, publish } from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import type { Workload, Workloads } from '../support/workloads.ts';

onEachEngine((version) => {
  let host: EngineHost;
  let workloads: Workloads;

  beforeAll(async () => {
    host = await EngineHost.start(version);
    workloads = host.workloads;
  });
  afterAll(() => host?.[Symbol.asyncDispose]());

  /** The host as it was: none of the containers before, and none of our rules. */
  const removeAll = async (controller: RunningController) => {
    await controller.stop();
    const { folder, socket } = controller;
    const folders = [
      '--state-dir',
      join(folder, 'state'),
      '--run-dir',
      join(folder, 'run'),
      '--socket',
      socket,
    ];
    const docker = ['--docker-host', `unix://${host.engine.socketPath}`, '-i', host.image];
    expect(await runCli(['host', 'clear', '--yes', ...docker, ...folders])).toMatchObject({ code: 0 });
    await controller[Symbol.asyncDispose]();
    await workloads.removeAll();
  };

  describe('services by the conventions of registrator', () => {
    let controller: RunningController;
    let published: Workload;
    let ignoring: Workload;

    beforeAll(async () => {
      published = await workloads.run('published', { args: publish('8080:80') });
      ignoring = await workloads.run('ignoring', {
        args: [...publish('8090:80', '8091:81'), '--env', 'SERVICE_80_IGNORE=true'],
      });
      for (const { probe } of [published, ignoring]) await probe.serve([80, 81, 9100]);
      const guarded = ['--ports', 'enforce', '--ports-family', 'both', '--ports-services', 'engine'];
      controller = await host.control(guarded);
    });
    afterAll(() => removeAll(controller));

    test('open what is published, and nothing else', async () => {
      const address = addressOf(published);
      await host.becomes(address, 81, 'timeout');
      await host.becomes(host.engine.publishedAddress, 8080, 'ok');
      expect(await host.answers(address, 80)).toBe('ok');
    });

    test('leave closed what says SERVICE_IGNORE', async () => {
      await host.becomes(host.engine.publishedAddress, 8091, 'ok');
      expect(await host.calls(host.engine.publishedAddress, 8090)).toBe('timeout');
    });

    test('are told with whom they deny, and make way for a port that is opened by hand', async () => {
      const address = addressOf(published);
      const run = (...args: readonly string[]) => runCli([...args, '--socket', controller.socket]);
      const ports = (action: string) => run('ports', action, published.id, 'tcp/81');
      const explained = async (source = '') =>
        (await run('explain', '--in', published.id, source, 'tcp/81', '--exit-code')).code;
      await host.becomes(address, 81, 'timeout');
      const call = await waitFor(
        async () => {
          const { stdout } = await run('denied', '--in', published.id, '--json');
          return DeniedInReply.parse(JSON.parse(stdout)).calls.find(({ port }) => port === 81);
        },
        { what: 'the denied call', timeout: 30_000, interval: 200 },
      );
      expect(call).toMatchObject({ address, protocol: 'tcp' });
      expect(await explained(call.source)).toBe(1);
      expect(await ports('open')).toMatchObject({ code: 0 });
      expect(await host.answers(address, 81)).toBe('ok');
      expect(await explained(call.source)).toBe(0);
      expect(await ports('own')).toMatchObject({ code: 0 });
      expect(await host.calls(address, 81)).toBe('timeout');
      expect(await controller.metrics()).toMatch(/^egresstrator_host_denied_packets_total [1-9]/m);
    });

    test('open what a container exposes that shares the namespace of another', async () => {
      const address = addressOf(published);
      expect(await host.calls(address, 9100)).toBe('timeout');
      const image = workloads.nameOf('exposing');
      await workloads.must('commit', '--change', 'EXPOSE 9100', published.id, image);
      const network = `container:${published.id}`;
      await workloads.start('sidecar', { network, image, args: ['--env', 'SERVICE_NAME=metrics'] });
      await host.becomes(address, 9100, 'ok');
      await workloads.must('rm', '--force', workloads.nameOf('sidecar'));
      await host.becomes(address, 9100, 'timeout');
    });
  });

  describe('a registration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'egt-registrations-'));
    let network: string;
    let controller: RunningController;
    let address: string;

    const start = () => host.control(['--ports', 'enforce', '--ports-family', '4'], { folder });

    /** One that takes addresses that a container asks for: its subnet is given, and was free. */
    const networkWithSubnet = async () => {
      const found = await workloads.network('free');
      const form = '{{(index .IPAM.Config 0).Subnet}}';
      const subnet = (await workloads.must('network', 'inspect', '--format', form, found)).trim();
      await workloads.must('network', 'rm', found);
      const name = workloads.nameOf('reuse');
      const label = ['--label', `egresstrator-test=${workloads.prefix}`];
      await workloads.must('network', 'create', ...label, '--subnet', subnet, name);
      return { name, address: subnet.replace(/0\/\d+$/, '9') };
    };

    const server = async (name: string) => {
      const one = await workloads.run(name, { network, args: ['--ip', address] });
      await one.probe.serve([80, 81]);
      return one;
    };

    const register = (tag: string) => host.register('shop', address, 80, { Tags: [tag] });

    beforeAll(async () => {
      ({ name: network, address } = await networkWithSubnet());
      controller = await start();
    });
    afterAll(async () => {
      await removeAll(controller);
      rmSync(folder, { recursive: true, force: true });
    });

    test('opens nothing for the next container at its address until it is made anew', async () => {
      const old = await server('old');
      await register('one');
      await host.becomes(address, 80, 'ok');
      await workloads.remove(old);
      await server('next');
      await host.becomes(address, 80, 'timeout');
      await controller[Symbol.asyncDispose]();
      controller = await start();
      await host.becomes(address, 80, 'timeout');
      expect((await runCli(['ports', '--socket', controller.socket])).stdout).toContain(
        'was registered for a container that is gone',
      );
      await register('two');
      await host.becomes(address, 80, 'ok');
      expect(await host.calls(address, 81)).toBe('timeout');
    });
  });

  describe('an Engine that is switched to --iptables=false and back', () => {
    let controller: RunningController;

    const serve = async () => {
      const web = await workloads.find('web');
      await web.probe.serve([80]);
    };

    const forwards = (action: string, container: string, socket: string) =>
      runCli([
        ...['forwards', action, workloads.nameOf(container)],
        ...['--socket', socket, '--docker-host', `unix://${host.engine.socketPath}`],
      ]);

    const ownForwards = async () =>
      (await host.run('nft', 'list', 'table', 'inet', 'egresstrator_host')).stdout;

    beforeAll(async () => {
      await workloads.run('web', { args: publish('8080:80') });
      await serve();
      controller = await host.control(['--forwards', 'auto']);
    });
    afterAll(() => removeAll(controller));

    test('gets the forwards that it does not make itself, and those alone', async () => {
      await waitFor(async () => controller.log.some(({ managesFirewall }) => managesFirewall === true), {
        ...{ what: 'its rules to be read', timeout: 30_000, interval: 100 },
      });
      expect(await host.answers(host.engine.publishedAddress, 8080)).toBe('ok');
      expect(await ownForwards()).not.toContain('. 8080 :');

      await host.restartWith('--iptables=false', '--userland-proxy=false');
      await workloads.must('start', workloads.nameOf('web'));
      await serve();
      await host.becomes(host.engine.publishedAddress, 8080, 'ok');
      expect(await ownForwards()).toContain('. 8080 :');
      expect(await forwards('create', 'web', controller.socket)).toMatchObject({ code: 0, stdout: '' });
      await workloads.must('stop', '--time', '0', workloads.nameOf('web'));
      expect(await forwards('delete', 'web', controller.socket)).toMatchObject({ code: 0, stdout: '' });
      expect(await ownForwards()).not.toContain('. 8080 :');
      expect((await forwards('create', 'web', controller.socket)).stderr).toContain(
        'does not run: waited 2 s',
      );

      await host.restartWith();
      await workloads.must('start', workloads.nameOf('web'));
      await serve();
      await waitFor(async () => !(await ownForwards()).includes('. 8080 :'), {
        ...{ what: 'our forwards to go', timeout: 30_000, interval: 200 },
      });
      await host.becomes(host.engine.publishedAddress, 8080, 'ok');
    });
  });

  describe('forwards in files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'egt-rule-files-'));

    const forwards = (action: string, container: string) =>
      // As the units of the host run it.
      host.run(
        process.execPath,
        ...[
          ...[PROGRAM, 'forwards', action, workloads.nameOf(container), '--write-files'],
          ...['--iptables-dir', folder, '--docker-host', `unix://${host.engine.socketPath}`],
        ],
      );

    /** What a service of the host's own loads, as before. */
    const BASE = `*nat
:DOCKER_CONTAINERS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER_CONTAINERS
COMMIT
`;

    beforeAll(async () => {
      await host.restartWith('--iptables=false', '--userland-proxy=false');
      await host.run('nft', 'flush', 'ruleset');
      await host.runWith(BASE, 'iptables-restore', '--noflush');
      const args = publish('8080:80', '127.0.0.1:8082:80', `${host.engine.publishedAddress}:8083:81`);
      const web = await workloads.run('web', { args });
      await web.probe.serve([80, 81]);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    test('lead to the container while there are files of it', async () => {
      expect(await forwards('create', 'web')).toMatchObject({ code: 0 });
      expect(await host.answers(host.engine.publishedAddress, 8080)).toBe('ok');
      expect(await host.answers(host.engine.publishedAddress, 8083)).toBe('ok');
      expect(await host.answers(host.engine.publishedAddress, 8082)).toBe('refused');
      const { stdout: once } = await host.run('iptables-save', '-t', 'nat');
      expect(await forwards('create', 'web')).toMatchObject({ code: 0 });
      const { stdout: twice } = await host.run('iptables-save', '-t', 'nat');
      expect(rulesOf(twice)).toEqual(rulesOf(once));
      expect(readdirSync(folder)).toEqual([`11-docker-container_${workloads.nameOf('web')}`]);
    });

    test('of a container that is gone go with the next one, and all by hand', async () => {
      await workloads.must('rm', '--force', workloads.nameOf('web'));
      const next = await workloads.run('next', { args: publish('8090:80') });
      await next.probe.serve([80]);
      expect(await forwards('create', 'next')).toMatchObject({ code: 0 });
      expect(readdirSync(folder)).toEqual([`11-docker-container_${workloads.nameOf('next')}`]);
      expect(await host.answers(host.engine.publishedAddress, 8080)).toBe('refused');
      expect(await host.answers(host.engine.publishedAddress, 8090)).toBe('ok');
      expect(await forwards('delete', 'next')).toMatchObject({ code: 0 });
      expect(readdirSync(folder)).toEqual([]);
      expect(rulesOf((await host.run('iptables-save', '-t', 'nat')).stdout)).toEqual(rulesOf(BASE));
    });

    test('are none of a container that publishes nothing, which is no error', async () => {
      await workloads.run('quiet');
      expect(await forwards('create', 'quiet')).toMatchObject({ code: 0 });
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});

const rulesOf = (saved: string): readonly string[] =>
  saved.split('\n').filter((line) => line.startsWith('-A '));
