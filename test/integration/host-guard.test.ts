/**
 * The ports guard while services come and go, and while nobody keeps it: Consul is away, the controller is killed, the host
 * boots again. The caller outside is this machine, which reaches an Engine's containers as any router's neighbour would.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { DeniedInReply } from '../../src/daemon/api/host-schema.ts';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost } from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import type { Outcome } from '../support/probe.ts';
import type { Workload } from '../support/workloads.ts';
import { PROGRAM } from '../templates/fixture.ts';

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-guard-'));
  let host: EngineHost;
  let controller: RunningController;
  /** Port 80 is the host's 8080. */
  let server: Workload;
  let address: string;
  /** Of the host, to which published ports belong. */
  let published: string;
  let neighbour: Workload;

  const start = (until: 'ready' | 'listening' = 'ready') =>
    host.control(['--ports', 'enforce', '--ports-family', '4'], { folder, until });

  beforeAll(async () => {
    host = await EngineHost.start(version, { consulFolder: join(folder, 'consul') });
    published = host.engine.publishedAddress;
    const onHost = await host.workloads.run('on-host', { network: 'host' });
    await onHost.probe.serve([9000]);
    // It answers by itself, from its first moment on, and comes back with the Engine.
    server = await host.workloads.run('server', {
      args: ['--publish', '8080:80', '--restart', 'always'],
      command: ['nc', '-ll', '-p', '80', '-e', 'cat'],
    });
    await server.probe.serve([81, 82, 83, 84]);
    address = addressOf(server);
    // The server's own command may not listen yet.
    for (const port of [80, 81, 82, 83, 84]) await host.becomes(address, port, 'ok');
    await host.becomes(published, 9000, 'ok');
    neighbour = await host.workloads.run('neighbour');
    await registration('stays', 83);
    controller = await start();
    await becomes(address, 80, 'timeout');
  }, 300_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const becomes = (to: string, port: number, outcome: Outcome) =>
    host.becomes(to, port, outcome).catch((error) => {
      throw new Error(`${error}\n${controller.output.slice(-20_000)}`);
    });
  const pings = async (): Promise<boolean> =>
    (await execa('busybox', ['ping', '-c1', '-W1', address], { reject: false })).exitCode === 0;
  const pingsBecome = (isAnswered: boolean) =>
    waitFor(async () => (await pings()) === isAnswered, {
      ...{ what: `pings to be ${isAnswered}`, timeout: 30_000, interval: 50 },
    });
  const registration = (id: string, port: number) => host.register(id, address, port);
  const removal = (id: string) => host.deregister(id);

  const state = join(folder, 'state');
  const textOnDisk = () => readFileSync(join(state, 'host.nft'), 'utf8');
  /** As far as the texts on disk know. */
  const bootedAgain = () => {
    writeFileSync(join(state, 'host.nft'), textOnDisk().replace(/^# boot .*/, '# boot another'));
    // Of another boot, its services do not count.
    rmSync(join(state, 'known.json'), { force: true });
  };

  /** Calls over and over what nobody may reach, and returns how it went once `work` has ended. */
  async function callingMeanwhile(work: () => Promise<void>): Promise<readonly string[]> {
    const seen: string[] = [];
    let isOver = false;
    const calling = (async () => {
      while (!isOver) {
        const ways: readonly [string, number][] = [
          [address, 80],
          [address, 81],
          [published, 8080],
        ];
        seen.push(...(await Promise.all(ways.map(([to, port]) => host.calls(to, port, host.outside, 300)))));
      }
    })();
    try {
      await work();
    } finally {
      isOver = true;
      await calling;
    }
    return seen;
  }

  test('what listens on the host itself is nobody’s container', async () => {
    expect(await host.answers(published, 9000)).toBe('ok');
    expect(await host.calls(published, 8080)).toBe('timeout');
  });

  test('neighbours call freely', async () => {
    expect(await host.answers(address, 81, neighbour.probe)).toBe('ok');
  });

  test('a service that is registered at a published port of the host opens it, and closes it again', async () => {
    await host.register('shop', published, 8080);
    await becomes(published, 8080, 'ok');
    expect(await host.calls(address, 81)).toBe('timeout');
    await removal('shop');
    await becomes(published, 8080, 'timeout');
  });

  test('an ingress key lets its callers through to a published port, and nobody else to a registered one', async () => {
    const key = (text: string) => host.consul.call('PUT', '/v1/kv/ingress/acl/near', text);
    await key('0.0.0.0/0:tcp/80');
    const called = await host.workloads.run('called', {
      args: ['--publish', '8190:80', '-e', 'EGRESSTRATOR_INGRESS=near'],
    });
    await called.probe.serve([80, 81]);
    const at = addressOf(called);
    await host.register('called', at, 81);
    await becomes(published, 8190, 'ok');
    expect([await host.answers(at, 80), await host.calls(at, 81)]).toEqual(['ok', 'timeout']);
    await key('192.0.2.0/24:tcp/80\n0.0.0.0/0:tcp/81');
    await becomes(at, 81, 'ok');
    await becomes(published, 8190, 'timeout');
    await removal('called');
    await host.workloads.remove(called);
  });

  test('of two services at one address, one goes: its connections end, and pings are answered', async () => {
    await registration('one', 81);
    await registration('other', 82);
    for (const port of [81, 82]) await becomes(address, port, 'ok');
    const [ends, goesOn] = [
      await host.outside.keep({ protocol: 'tcp', address, port: 81 }),
      await host.outside.keep({ protocol: 'tcp', address, port: 82 }),
    ];
    expect(await pings()).toBe(true);
    await removal('one');
    await waitFor(async () => (await host.outside.flow(ends)).silentFor > 3_000, {
      ...{ what: 'the connection to end', timeout: 30_000, interval: 100 },
    });
    const { echoes } = await host.outside.flow(goesOn);
    await waitFor(async () => (await host.outside.flow(goesOn)).echoes > echoes, {
      ...{ what: 'the other to go on', timeout: 30_000 },
    });
    expect(await pings()).toBe(true);
    for (const id of ['other', 'stays']) await removal(id);
    await pingsBecome(false);
    await registration('stays', 83);
    await pingsBecome(true);
  });

  test('what another firewall drops is not told as denied', async () => {
    const rule = ['DOCKER-USER', '-p', 'tcp', '--dport', '84', '-j', 'DROP'];
    const deniedPorts = async () => {
      const { stdout } = await runCli(['denied', '--in', '--json', '--socket', controller.socket]);
      const { calls: denied } = DeniedInReply.parse(JSON.parse(stdout));
      return denied.filter((call) => call.address === address).map(({ port }) => port);
    };
    // For two seconds after a load, what is denied is not recorded.
    const isReported = (port: number) =>
      waitFor(
        async () => {
          expect(await host.calls(address, port)).toBe('timeout');
          return (await deniedPorts()).includes(port);
        },
        { what: `a denied call of port ${port} to be reported`, timeout: 60_000, interval: 50 },
      );
    await isReported(81);
    await host.run('iptables', '-I', ...rule);
    expect(await host.calls(address, 84)).toBe('timeout');
    await host.run('iptables', '-D', ...rule);
    expect(await deniedPorts()).not.toContain(84);
    await isReported(84);
  });

  test('a controller that is killed again and again while rules change opens nothing', async () => {
    const seen = await callingMeanwhile(async () => {
      for (const [round, ms] of [40, 900, 350].entries()) {
        await registration(`round-${round}`, 8_200 + round);
        await sleep(ms);
        await controller.stop('SIGKILL');
        expect(await host.answers(address, 83)).toBe('ok');
        controller = await start('listening');
      }
    });
    expect(seen.filter((outcome) => outcome !== 'timeout')).toEqual([]);
    await controller.ready();
    await becomes(address, 83, 'ok');
  }, 300_000);

  test('without Consul, a controller that starts leaves what is loaded, and closes what is gone once it is back', async () => {
    await registration('leaves', 82);
    await becomes(address, 82, 'ok');
    await controller.stop('SIGKILL');
    await removal('leaves');
    await host.consul.kill();
    const seen = await callingMeanwhile(async () => {
      controller = await start('listening');
      await controller.logged(
        ({ level }) => level === 'warn' || level === 'error',
        'that Consul does not answer',
      );
      for (const port of [82, 83]) expect(await host.answers(address, port)).toBe('ok');
      await host.consul.start();
      await becomes(address, 82, 'timeout');
      expect(await host.answers(address, 83)).toBe('ok');
    });
    expect(seen.filter((outcome) => outcome !== 'timeout')).toEqual([]);
  });

  test('after a reboot a container is closed from the first packet on, and open once its service is known', async () => {
    await registration('web', 80);
    await becomes(address, 80, 'ok');
    await becomes(published, 8080, 'ok');
    await waitFor(() => textOnDisk().includes('. tcp . 80,'), {
      what: 'the opening in the text for a start',
    });
    await controller.stop('SIGKILL');
    await server.probe.close();
    await host.engine.stop();
    await host.run('nft', 'flush', 'ruleset');
    bootedAgain();
    await host.run('sh', PROGRAM, 'boot', state);
    const seen = await callingMeanwhile(async () => {
      await host.engine.start();
      const isBack = async () =>
        (await host.workloads.must('ps', '--format', '{{.Names}}')).includes(server.name);
      await waitFor(isBack, { what: 'the container to be back', timeout: 30_000 });
      expect((await host.workloads.find('server')).addresses.bridge?.ipv4).toBe(address);
      await host.calls(address, 80);
    });
    expect(seen).not.toContain('ok');
    controller = await start();
    await becomes(address, 80, 'ok');
    await becomes(published, 8080, 'ok');
  });

  test('after a reboot without the unit, a controller closes all before Consul answers', async () => {
    await controller.stop('SIGKILL');
    await host.consul.kill();
    await host.run('nft', 'delete', 'table', 'inet', 'egresstrator_host');
    bootedAgain();
    expect(await host.answers(address, 80)).toBe('ok');
    controller = await start('listening');
    await becomes(address, 80, 'timeout');
    await becomes(published, 8080, 'timeout');
    await host.consul.start();
    await becomes(address, 80, 'ok');
  });
});
