/**
 * Where the host's rules come from, on real Engines: containers that speak of their services, registrations that
 * outlive their container, and an Engine that is told to make rules or not to.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { type OwnEngine, startEngine } from '../../lab/engine.ts';
import { waitFor } from '../../lab/wait.ts';
import { DeniedInReply } from '../../src/daemon/api/host-schema.ts';
import { PROGRAM, type RunningController, runCli, startController } from '../support/egresstrator.ts';
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

  const calls = async (address: string, port: number): Promise<string> =>
    (await outside.reach({ protocol: 'tcp', address, port }, TIMEOUT)).outcome;

  const becomes = (address: string, port: number, outcome: string) =>
    waitFor(async () => (await calls(address, port)) === outcome, {
      what: `${address}:${port} to be ${outcome}`,
      timeout: 60_000,
      interval: 100,
    });

  const control = (engine: OwnEngine, image: string, ...args: readonly string[]) =>
    startController({ engine, args: ['-c', consul.address, '-i', image, '--node', NODE, ...args] });

  const publish = (...ports: readonly string[]) => ports.flatMap((one) => ['--publish', one]);

  describe('services by the conventions of registrator', () => {
    let engine: OwnEngine;
    let workloads: Workloads;
    let controller: RunningController;
    let published: Workload;
    let ignoring: Workload;

    beforeAll(async () => {
      engine = await startEngine({ version, name: engineName(`says-${version}`), diesWithParent: true });
      const image = await ensureTestImage(engine);
      workloads = await Workloads.on(engine);
      published = await workloads.run('published', { args: publish('8080:80') });
      ignoring = await workloads.run('ignoring', {
        args: [...publish('8090:80', '8091:81'), '--env', 'SERVICE_80_IGNORE=true'],
      });
      for (const { probe } of [published, ignoring]) await probe.serve([80, 81, 9100]);
      const guarded = ['--ports', 'enforce', '--ports-family', 'both', '--ports-services', 'engine'];
      controller = await control(engine, image, ...guarded);
    });
    afterAll(async () => {
      await controller[Symbol.asyncDispose]();
      await workloads[Symbol.asyncDispose]();
      await engine.remove();
    });

    test('open what is published, and nothing else', async () => {
      const address = published.addresses.bridge?.ipv4 ?? '';
      await becomes(address, 81, 'timeout');
      await becomes(engine.publishedAddress, 8080, 'ok');
      expect(await calls(address, 80)).toBe('ok');
    });

    test('leave closed what says SERVICE_IGNORE', async () => {
      await becomes(engine.publishedAddress, 8091, 'ok');
      expect(await calls(engine.publishedAddress, 8090)).toBe('timeout');
    });

    test('are told with whom they deny, and make way for a port that is opened by hand', async () => {
      const address = published.addresses.bridge?.ipv4 ?? '';
      const run = (...args: readonly string[]) => runCli([...args, '--socket', controller.socket]);
      const ports = (action: string) => run('ports', action, published.id, 'tcp/81');
      const explained = async (source = '') =>
        (await run('explain', '--in', published.id, source, 'tcp/81', '--exit-code')).code;
      await becomes(address, 81, 'timeout');
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
      expect(await calls(address, 81)).toBe('ok');
      expect(await explained(call.source)).toBe(0);
      expect(await ports('own')).toMatchObject({ code: 0 });
      expect(await calls(address, 81)).toBe('timeout');
      expect(await controller.metrics()).toMatch(/^egresstrator_host_denied_packets_total [1-9]/m);
    });

    test('open what a container exposes that shares the namespace of another', async () => {
      const address = published.addresses.bridge?.ipv4 ?? '';
      expect(await calls(address, 9100)).toBe('timeout');
      const image = workloads.nameOf('exposing');
      await workloads.must('commit', '--change', 'EXPOSE 9100', published.id, image);
      const network = `container:${published.id}`;
      await workloads.start('sidecar', { network, image, args: ['--env', 'SERVICE_NAME=metrics'] });
      await becomes(address, 9100, 'ok');
      await workloads.must('rm', '--force', workloads.nameOf('sidecar'));
      await becomes(address, 9100, 'timeout');
    });
  });

  describe('a registration', () => {
    const folder = mkdtempSync(join(tmpdir(), 'egt-registrations-'));
    let engine: OwnEngine;
    let image: string;
    let workloads: Workloads;
    let network: string;
    let controller: RunningController;

    let address: string;

    const start = () =>
      startController({
        ...{ engine, folder },
        args: [
          '-c',
          consul.address,
          '-i',
          image,
          '--node',
          NODE,
          '--ports',
          'enforce',
          '--ports-family',
          '4',
        ],
      });

    /** One that takes addresses that a container asks for: its subnet is given, and was free. */
    const networkWithSubnet = async () => {
      const found = await workloads.network('free');
      const form = '{{(index .IPAM.Config 0).Subnet}}';
      const subnet = (await workloads.must('network', 'inspect', '--format', form, found)).trim();
      await workloads.must('network', 'rm', found);
      const name = workloads.nameOf('reuse');
      await workloads.must('network', 'create', '--subnet', subnet, name);
      return { name, address: subnet.replace(/0\/\d+$/, '9') };
    };

    const server = async (name: string) => {
      const one = await workloads.run(name, { network, args: ['--ip', address] });
      await one.probe.serve([80, 81]);
      return one;
    };

    const register = (tag: string) =>
      consul.call('PUT', '/v1/catalog/register', {
        ...{ Node: NODE, Address: '192.0.2.1' },
        Service: { ID: 'shop', Service: 'shop', Address: address, Port: 80, Tags: [tag] },
      });

    beforeAll(async () => {
      engine = await startEngine({ version, name: engineName(`reuse-${version}`), diesWithParent: true });
      image = await ensureTestImage(engine);
      workloads = await Workloads.on(engine);
      ({ name: network, address } = await networkWithSubnet());
      controller = await start();
    });
    afterAll(async () => {
      await controller[Symbol.asyncDispose]();
      await workloads[Symbol.asyncDispose]();
      await engine.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    test('opens nothing for the next container at its address until it is made anew', async () => {
      const old = await server('old');
      await register('one');
      await becomes(address, 80, 'ok');
      await workloads.remove(old);
      await server('next');
      await becomes(address, 80, 'timeout');
      await controller[Symbol.asyncDispose]();
      controller = await start();
      await becomes(address, 80, 'timeout');
      expect((await runCli(['ports', '--socket', controller.socket])).stdout).toContain(
        'was registered for a container that is gone',
      );
      await register('two');
      await becomes(address, 80, 'ok');
      expect(await calls(address, 81)).toBe('timeout');
    });
  });

  describe('an Engine that is switched to --iptables=false and back', () => {
    const name = engineName(`switch-${version}`);
    let engine: OwnEngine;
    let workloads: Workloads;
    let controller: RunningController;

    const startWith = (...daemonOptions: readonly string[]) =>
      startEngine({ version, name, diesWithParent: true, daemonOptions });

    const serve = async () => {
      const web = await workloads.find('web');
      await web.probe.serve([80]);
    };

    const forwards = (action: string, container: string, socket: string) =>
      runCli([
        ...['forwards', action, workloads.nameOf(container)],
        ...['--socket', socket, '--docker-host', `unix://${engine.socketPath}`],
      ]);

    const ownForwards = async () => {
      const [program = '', ...prefix] = engine.networkPrefix;
      const list = ['nft', 'list', 'table', 'inet', 'egresstrator_host'];
      return (await execa(program, [...prefix, ...list], { reject: false })).stdout;
    };

    beforeAll(async () => {
      engine = await startWith();
      const image = await ensureTestImage(engine);
      workloads = await Workloads.on(engine);
      await workloads.run('web', { args: publish('8080:80') });
      await serve();
      controller = await control(engine, image, '--forwards', 'auto');
    });
    afterAll(async () => {
      await controller[Symbol.asyncDispose]();
      await workloads[Symbol.asyncDispose]();
      await engine.remove();
    });

    test('gets the forwards that it does not make itself, and those alone', async () => {
      await waitFor(async () => controller.log.some(({ managesFirewall }) => managesFirewall === true), {
        ...{ what: 'its rules to be read', timeout: 30_000, interval: 100 },
      });
      expect(await calls(engine.publishedAddress, 8080)).toBe('ok');
      expect(await ownForwards()).not.toContain('. 8080 :');

      engine = await startWith('--iptables=false', '--userland-proxy=false');
      await workloads.must('start', workloads.nameOf('web'));
      await serve();
      await becomes(engine.publishedAddress, 8080, 'ok');
      expect(await ownForwards()).toContain('. 8080 :');
      expect(await forwards('create', 'web', controller.socket)).toMatchObject({ code: 0, stdout: '' });
      await workloads.must('stop', '--time', '0', workloads.nameOf('web'));
      expect(await forwards('delete', 'web', controller.socket)).toMatchObject({ code: 0, stdout: '' });
      expect(await ownForwards()).not.toContain('. 8080 :');
      expect((await forwards('create', 'web', controller.socket)).stderr).toContain(
        'does not run: waited 2 s',
      );

      engine = await startWith();
      await workloads.must('start', workloads.nameOf('web'));
      await serve();
      await waitFor(async () => !(await ownForwards()).includes('. 8080 :'), {
        ...{ what: 'our forwards to go', timeout: 30_000, interval: 200 },
      });
      await becomes(engine.publishedAddress, 8080, 'ok');
    });
  });

  describe('forwards in files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'egt-rule-files-'));
    let engine: OwnEngine;
    let workloads: Workloads;

    /** In the network namespace of the Engine's host, as its units run it. */
    const onHost = async (file: string, args: readonly string[], input = '') => {
      const [program = '', ...prefix] = engine.networkPrefix;
      return execa(program, [...prefix, file, ...args], { reject: false, input });
    };

    const forwards = (action: string, container: string) =>
      onHost(process.execPath, [
        ...[PROGRAM, 'forwards', action, workloads.nameOf(container), '--write-files'],
        ...['--iptables-dir', folder, '--docker-host', `unix://${engine.socketPath}`],
      ]);

    /** What a service of the host's own loads, as before. */
    const BASE = `*nat
:DOCKER_CONTAINERS - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER_CONTAINERS
COMMIT
`;

    beforeAll(async () => {
      engine = await startEngine({
        ...{ version, name: engineName(`files-${version}`), diesWithParent: true },
        daemonOptions: ['--iptables=false', '--userland-proxy=false'],
      });
      workloads = await Workloads.on(engine);
      await onHost('iptables-restore', ['--noflush'], BASE);
      const args = publish('8080:80', '127.0.0.1:8082:80', `${engine.publishedAddress}:8083:81`);
      const web = await workloads.run('web', { args });
      await web.probe.serve([80, 81]);
    });
    afterAll(async () => {
      await workloads[Symbol.asyncDispose]();
      await engine.remove();
      rmSync(folder, { recursive: true, force: true });
    });

    test('lead to the container while there are files of it', async () => {
      expect(await forwards('create', 'web')).toMatchObject({ exitCode: 0 });
      expect(await calls(engine.publishedAddress, 8080)).toBe('ok');
      expect(await calls(engine.publishedAddress, 8083)).toBe('ok');
      expect(await calls(engine.publishedAddress, 8082)).toBe('refused');
      const { stdout: once } = await onHost('iptables-save', ['-t', 'nat']);
      expect(await forwards('create', 'web')).toMatchObject({ exitCode: 0 });
      const { stdout: twice } = await onHost('iptables-save', ['-t', 'nat']);
      expect(rulesOf(twice)).toEqual(rulesOf(once));
      expect(readdirSync(folder)).toEqual([`11-docker-container_${workloads.nameOf('web')}`]);
    });

    test('of a container that is gone go with the next one, and all by hand', async () => {
      await workloads.must('rm', '--force', workloads.nameOf('web'));
      const next = await workloads.run('next', { args: publish('8090:80') });
      await next.probe.serve([80]);
      expect(await forwards('create', 'next')).toMatchObject({ exitCode: 0 });
      expect(readdirSync(folder)).toEqual([`11-docker-container_${workloads.nameOf('next')}`]);
      expect(await calls(engine.publishedAddress, 8080)).toBe('refused');
      expect(await calls(engine.publishedAddress, 8090)).toBe('ok');
      expect(await forwards('delete', 'next')).toMatchObject({ exitCode: 0 });
      expect(readdirSync(folder)).toEqual([]);
      expect(rulesOf((await onHost('iptables-save', ['-t', 'nat'])).stdout)).toEqual(rulesOf(BASE));
    });

    test('are none of a container that publishes nothing, which is no error', async () => {
      await workloads.run('quiet');
      expect(await forwards('create', 'quiet')).toMatchObject({ exitCode: 0 });
      expect(readdirSync(folder)).toEqual([]);
    });
  });
});

const rulesOf = (saved: string): readonly string[] =>
  saved.split('\n').filter((line) => line.startsWith('-A '));
