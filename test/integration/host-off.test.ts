/**
 * What egresstrator leaves alone: a host whose rules were never turned on is as it was; rules stay when the controller
 * ends, crashes, or has them turned off, and go when somebody removes them.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-off-'));
  let consul: Consul;
  let engine: OwnEngine;
  let image: string;
  let workloads: Workloads;
  let server: Workload;
  let outside: Probe;
  let untouched: readonly string[];

  beforeAll(async () => {
    consul = await startConsul();
    await consul.call('PUT', '/v1/kv/egress/acl/db', '172.31.77.10:tcp/80');
    engine = await startEngine({ version, name: engineName(`off-${version}`), diesWithParent: true });
    image = await ensureTestImage(engine);
    workloads = await Workloads.on(engine);
    server = await workloads.run('server', { acl: 'db', args: ['--publish', '8080:80'] });
    await server.probe.serve([80]);
    outside = startProbe(process.pid);
    untouched = await hostState();
  }, 300_000);
  afterAll(async () => {
    await outside?.close();
    await workloads?.[Symbol.asyncDispose]();
    await engine?.remove();
    await consul?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const onHost = async (...command: readonly string[]): Promise<string> => {
    const [file = '', ...args] = [...engine.networkPrefix, ...command];
    const { stdout } = await execa(file, args, { reject: false });
    return stdout
      .split('\n')
      .filter((line) => !line.startsWith('#'))
      .map((line) => line.replace(/counter packets \d+ bytes \d+/, 'counter').replace(/\[\d+:\d+\]/, ''))
      .join('\n');
  };

  /** All rules of the kernel in all their forms, and the settings that concern other networks. */
  const hostState = (): Promise<readonly string[]> =>
    Promise.all([
      onHost('nft', 'list', 'ruleset'),
      onHost('iptables-nft-save'),
      onHost('ip6tables-nft-save'),
      onHost('iptables-legacy-save'),
      onHost(
        'sysctl',
        '-a',
        '-r',
        '^net\\.(bridge|ipv[46]\\.(ip_forward|conf\\.(all|default|docker0|uplink)))',
      ),
      onHost('ip', 'route'),
    ]);

  const control = (...args: readonly string[]): Promise<RunningController> =>
    startController({
      ...{ engine, folder },
      args: [
        '-c',
        consul.address,
        '-i',
        image,
        '--loader',
        'helper',
        '--node',
        'off',
        '--drift-interval',
        '3',
        ...args,
      ],
    });
  const reaches = async (): Promise<string> =>
    (await outside.reach({ protocol: 'tcp', address: server.addresses.bridge?.ipv4 ?? '', port: 80 }, 1_000))
      .outcome;
  const becomes = (outcome: string) =>
    waitFor(async () => (await reaches()) === outcome, { what: outcome, timeout: 30_000, interval: 50 });
  /** Without the instant from which on packets are recorded: each load has its own. */
  const table = async () =>
    (await onHost('nft', 'list', 'table', 'inet', 'egresstrator_host')).replace(/meta time < "[^"]*"/, '');
  const state = (name: string) => join(folder, 'state', name);

  test('with everything off, nothing of the host is touched, and no helper runs there', async () => {
    const since = Math.floor(Date.now() / 1000);
    await using controller = await control();
    await controller.logged(({ msg }) => msg === 'rules loaded', 'rules of the workload');
    await controller.logged(({ msg }) => msg === 'rules are in place', 'a comparison');
    await controller.stop();
    expect(await hostState()).toEqual(untouched);
    const events = await workloads.must(
      ...['events', '--since', String(since), '--until', String(Math.ceil(Date.now() / 1000))],
      ...['--filter', 'type=network', '--filter', 'event=connect'],
      ...['--format', '{{.Actor.Attributes.name}} {{.Actor.Attributes.container}}'],
    );
    const onHostNetwork = events.split('\n').filter((line) => line.startsWith('host '));
    const created = await workloads.must(
      ...['events', '--since', String(since), '--until', String(Math.ceil(Date.now() / 1000))],
      ...[
        '--filter',
        'type=container',
        '--filter',
        'event=create',
        '--format',
        '{{.ID}} {{.Actor.Attributes.name}}',
      ],
    );
    // This one reads the Engine's resolvers: its program does not exist, so it never runs.
    const names = onHostNetwork.map(
      (line) =>
        created.split('\n').find((one) => one.startsWith(line.replace(/^host /, '').slice(0, 12))) ?? line,
    );
    expect(names.filter((name) => !name.includes('resolvers'))).toEqual([]);
    expect(existsSync(state('host.nft'))).toBe(false);
  });

  test('rules stay when the controller is killed, and after it has started again', async () => {
    await using controller = await control('--ports', 'enforce', '--ports-family', 'both');
    await becomes('timeout');
    await waitFor(() => existsSync(state('host.nft')), { what: 'the text for the next start of the Engine' });
    await controller.stop('SIGKILL');
    const left = await table();
    expect(left).toContain('chain guard');
    expect(await reaches()).toBe('timeout');
    await using next = await control('--ports', 'enforce', '--ports-family', 'both');
    await next.logged(
      ({ msg, container }) => msg === 'rules are in place' && container === 'the host',
      'kept',
    );
    expect(await table()).toBe(left);
    await next.stop();
    expect(await reaches()).toBe('timeout');
    expect(readFileSync(state('host.boot.nft'), 'utf8')).toContain('table inet egresstrator_host');
  });

  test('rules that are turned off stay until somebody removes them, and the log says so', async () => {
    for (const _ of ['at the first start', 'at the next start']) {
      await using controller = await control();
      await controller.logged(({ msg }) => msg.startsWith("the host's rules are turned off"), 'what is left');
      await controller.stop();
      expect(existsSync(state('host.nft')) || existsSync(state('host.boot.nft'))).toBe(false);
      expect(await reaches()).toBe('timeout');
    }
    const places = ['--socket', join(folder, 'api.sock'), '--state-dir', join(folder, 'state')];
    const gate = ['--run-dir', join(folder, 'run'), '--lib-dir', join(folder, 'lib')];
    const from = [
      '-c',
      consul.address,
      '-H',
      `unix://${engine.socketPath}`,
      '-i',
      image,
      '--loader',
      'helper',
    ];
    const removed = await runCli(['uninstall', '--yes', ...places, ...gate, ...from]);
    expect(removed).toMatchObject({ code: 0 });
    expect(removed.stdout).toContain('of this host: ports of containers, and forwards');
    expect(await reaches()).toBe('ok');
    expect(await hostState()).toEqual(untouched);
  });
});
