/**
 * What egresstrator leaves alone: a host whose rules were never turned on is as it was; rules stay when the controller
 * ends, crashes, or has them turned off, and go when somebody removes them.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost } from '../support/engine-host.ts';
import { LOADERS, onEachEngine } from '../support/engines.ts';
import type { Outcome } from '../support/probe.ts';
import type { Workload } from '../support/workloads.ts';

const GUARDED = ['--loader', 'helper', '--ports', 'enforce', '--ports-family', 'both'];
const CONNECTED = '{{.Actor.Attributes.name}} {{.Actor.Attributes.container}}';

/** Where the lab, and other tests beside this one, keep their own. */
const LAB_PRUNED = ['-path', '*egresstrator-lab*', '-prune', '-o', '-path', '/run/netns', '-prune', '-o'];

/**
 * Without what changes by itself: comments with times, counters, measured values, devices of containers, and link-local
 * addresses, which come when no neighbour has claimed them.
 */
const withoutTheLab = (text: string): string =>
  text
    .split('\n')
    .filter(
      (line) =>
        !line.startsWith('#') &&
        !/veth|fe80:|^\s*packets \d+ bytes|nf_conntrack_count|\.base_reachable_time|random|expires/.test(
          line,
        ),
    )
    .map((line) => line.replace(/counter packets \d+ bytes \d+/, 'counter').replace(/\[\d+:\d+\]/, ''))
    .join('\n');

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-off-'));
  let host: EngineHost;
  let server: Workload;
  let untouched: Readonly<Record<string, string>>;

  beforeAll(async () => {
    host = await EngineHost.start(version);
    await host.consul.call('PUT', '/v1/kv/egress/acl/db', '172.31.77.10:tcp/80');
    server = await host.workloads.run('server', { acl: 'db', args: ['--publish', '8080:80'] });
    await server.probe.serve([80]);
    untouched = await hostState();
  }, 300_000);
  afterAll(async () => {
    await host?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const onHost = async (...command: readonly string[]): Promise<string> =>
    (await host.run(...command)).stdout;

  /** What a run may not change: rules of all kinds, settings, routes, and files that the host's programs read. */
  const hostState = async (): Promise<Readonly<Record<string, string>>> => {
    const tools = ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'];
    const commands = [
      ['nft', 'list', 'ruleset'],
      ...tools.map((tool) => [`${tool}-save`]),
      ['sysctl', '-a', '-r', '^net\\.'],
      ...['-4', '-6'].flatMap((family) => [
        ['ip', family, 'route', 'show', 'table', 'all'],
        ['ip', family, 'rule'],
      ]),
      ['find', '/etc', '-xdev', '-printf', '%p %y %m %s %T@\\n'],
      ['find', '/run', '/var/lib', '-xdev', ...LAB_PRUNED, '-iname', '*egresstrator*', '-print'],
    ];
    const texts = await Promise.all(
      commands.map(async (command) => [command.join(' '), withoutTheLab(await onHost(...command))] as const),
    );
    return Object.fromEntries(texts);
  };

  const control = (...args: readonly string[]): Promise<RunningController> =>
    host.control(['--drift-interval', '3', ...args], { folder });
  const eventsSince = async (since: number, filters: readonly string[], format: string) => {
    const until = Math.ceil(Date.now() / 1000);
    const filter = filters.flatMap((one) => ['--filter', one]);
    const times = ['--since', String(since), '--until', String(until)];
    return (await host.workloads.must('events', ...times, ...filter, '--format', format))
      .split('\n')
      .filter(Boolean);
  };
  const reaches = () => host.calls(addressOf(server), 80);
  const becomes = (outcome: Outcome) => host.becomes(addressOf(server), 80, outcome);
  /** Without the instant from which on packets are recorded: each load has its own. */
  const table = async () =>
    withoutTheLab(await onHost('nft', 'list', 'table', 'inet', 'egresstrator_host')).replace(
      /meta time < "[^"]*"/,
      '',
    );
  const state = (name: string) => join(folder, 'state', name);

  test.each(LOADERS)(
    'with everything off, nothing of the host is touched, and no helper runs there: loader %s',
    async (loader) => {
      const since = Math.floor(Date.now() / 1000);
      await using controller = await control('--loader', loader);
      await controller.logged(({ msg }) => msg === 'rules loaded', 'rules of the workload');
      await controller.logged(({ msg }) => msg === 'rules are in place', 'a comparison');
      await controller.stop();
      expect(await hostState()).toEqual(untouched);
      expect(existsSync(state('host.nft'))).toBe(false);
      const [started, onHostNetwork] = [
        await eventsSince(since, ['type=container', 'event=start'], '{{.ID}}'),
        await eventsSince(since, ['type=network', 'event=connect'], CONNECTED),
      ];
      // One that reads the Engine's resolvers is made for the host's network; its program does not exist, so it never runs.
      const hosts = onHostNetwork.filter((line) => line.startsWith('host ')).map((line) => line.slice(5));
      expect(started.filter((id) => hosts.includes(id))).toEqual([]);
      if (loader === 'helper') expect(started.length).toBeGreaterThan(0);
    },
  );

  test('rules stay when the controller is killed, and after it has started again', async () => {
    await using controller = await control(...GUARDED);
    await becomes('timeout');
    await waitFor(() => existsSync(state('host.nft')), { what: 'the text for the next start of the Engine' });
    await controller.stop('SIGKILL');
    const left = await table();
    expect(left).toContain('chain guard');
    expect(await reaches()).toBe('timeout');
    await using next = await control(...GUARDED);
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
      await using controller = await control('--loader', 'helper');
      await controller.logged(({ msg }) => msg.startsWith("the host's rules are turned off"), 'what is left');
      await controller.stop();
      expect(existsSync(state('host.nft')) || existsSync(state('host.boot.nft'))).toBe(false);
      expect(await reaches()).toBe('timeout');
    }
    const places = ['--socket', join(folder, 'api.sock'), '--state-dir', join(folder, 'state')];
    const gate = ['--run-dir', join(folder, 'run'), '--lib-dir', join(folder, 'lib')];
    const from = [
      '-c',
      host.consul.address,
      '-H',
      `unix://${host.engine.socketPath}`,
      '-i',
      host.image,
      '--loader',
      'helper',
    ];
    const removed = await runCli(['uninstall', '--yes', ...places, ...gate, ...from]);
    if (removed.code !== 0) throw new Error(`${removed.stdout}${removed.stderr}`);
    expect(removed.stdout).toContain('of this host: ports of containers, and forwards');
    expect(await host.answers(addressOf(server), 80)).toBe('ok');
    expect(await hostState()).toEqual(untouched);
  });
});
