/**
 * Forwards beside an Engine that makes rules itself: they pass its chains, outlive its restart and the loss of all rules, and
 * leave nothing.
 */
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

const PASSAGE =
  '-A DOCKER-USER -m mark --mark 0x64000000/0xfe000000 -m comment --comment egresstrator -j ACCEPT';

onEachEngine((version) => {
  let consul: Consul;
  let engine: OwnEngine;
  let image: string;
  let workloads: Workloads;
  let web: Workload;
  let outside: Probe;
  let controller: RunningController;

  /** In the namespace of the Engine. */
  const onHost = async (...command: readonly string[]): Promise<string> => {
    const [file = '', ...args] = [...engine.networkPrefix, ...command];
    return (await execa(file, args, { reject: false })).stdout;
  };

  /** Without times and counters, which change by themselves. */
  const everything = async (): Promise<string> => {
    const commands = [
      ['nft', 'list', 'ruleset'],
      ...['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'].map((one) => [
        `${one}-save`,
      ]),
    ];
    const texts = await Promise.all(commands.map((command) => onHost(...command)));
    return texts
      .join('\n')
      .replace(/^#.*\n?/gm, '')
      .replace(/packets \d+ bytes \d+|\[\d+:\d+\]/g, 'counted');
  };

  const firstOfUsers = async (): Promise<readonly (string | undefined)[]> => {
    const lists = ['iptables-nft', 'iptables-legacy'].map((tool) => onHost(tool, '-S', 'DOCKER-USER'));
    return (await Promise.all(lists)).map((rules) => rules.split('\n').find((line) => line.startsWith('-A')));
  };

  const calls = async (port: number): Promise<string> =>
    (await outside.reach({ protocol: 'tcp', address: engine.publishedAddress, port }, 1_500)).outcome;

  const becomes = (what: string, look: () => Promise<boolean>) =>
    waitFor(look, { what, timeout: 60_000, interval: 100 });

  const inPlace = () =>
    becomes(
      'the passage to be first, and the table to be there',
      async () =>
        (await firstOfUsers()).includes(PASSAGE) &&
        (await onHost('nft', 'list', 'tables')).includes('table inet egresstrator_host'),
    );

  const start = async (folder?: string): Promise<RunningController> =>
    startController({
      engine,
      ...(folder === undefined ? {} : { folder }),
      args: ['-i', image, '--forwards', 'on', '-c', consul.address],
    });

  beforeAll(async () => {
    consul = await startConsul();
    outside = startProbe(process.pid);
    engine = await startEngine({ version, name: engineName(`passages-${version}`), diesWithParent: true });
    image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    web = await workloads.run('web', { args: ['--publish', '8080:80', '--restart', 'always'] });
    await web.probe.serve([80]);
  });
  afterAll(async () => {
    await controller[Symbol.asyncDispose]();
    await outside.close();
    await consul.stop();
    await workloads[Symbol.asyncDispose]();
    await engine.remove();
  });

  test('leave the host as it was when they are cleared', async () => {
    const before = await everything();
    controller = await start();
    await inPlace();
    await controller.stop();
    expect(await everything()).not.toBe(before);
    const folders = ['--state-dir', `${controller.folder}/state`, '--socket', controller.socket];
    const docker = ['--docker-host', `unix://${engine.socketPath}`, '-i', image];
    const { code, stderr } = await runCli(['host', 'clear', '--yes', ...docker, ...folders]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('removed')]);
    expect(await everything()).toBe(before);
    await controller[Symbol.asyncDispose]();
    controller = await start();
    await inPlace();
  });

  test('are back when all rules are flushed', async () => {
    await onHost('nft', 'flush', 'ruleset');
    await becomes('the forward to be back', async () => (await calls(8080)) === 'ok');
  });

  test('are first again when the Engine has been restarted', async () => {
    await engine.restart();
    await inPlace();
    const again = await workloads.find('web');
    await again.probe.serve([80]);
    await becomes('the forward to be back', async () => (await calls(8080)) === 'ok');
    await onHost('iptables-nft', '-F', 'DOCKER-USER');
    await inPlace();
  });
});
