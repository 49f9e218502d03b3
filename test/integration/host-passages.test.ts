/**
 * The host's rules beside other firewalls, on Engines that make rules themselves: by nftables, and by legacy tables. What our
 * table lets through passes them, whatever they do; what the guard closes stays closed; and all of it can be taken away.
 */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../lab/wait.ts';
import { type CliResult, type RunningController, runCli } from '../support/egresstrator.ts';
import { addressOf, EngineHost, publish } from '../support/engine-host.ts';
import { onEachEngine } from '../support/engines.ts';
import type { Workload } from '../support/workloads.ts';

const PASSAGE = '-m mark --mark 0x64000000/0xfe000000 -m comment --comment egresstrator -j ACCEPT';
const XTABLES = ['filter', 'nat', 'mangle', 'raw', 'security'];

/**
 * In nftables the kernel tells of changes, so no scan is needed there. Unless it is told otherwise, Engine 28 drops in raw what
 * comes to a container from another device.
 */
const KINDS = {
  '28.5': { iptables: 'nft', scans: '3600', options: {}, more: ['--allow-direct-routing=false'] },
  '20.10': { iptables: 'legacy', scans: '1', options: { iptables: 'legacy' }, more: [] },
} as const;

onEachEngine((version) => {
  const { iptables, scans, options, more } = KINDS[version];
  let host: EngineHost;
  let web: Workload;
  /** On another bridge. */
  let other: Workload;
  let controller: RunningController | undefined;
  /** Of the host, to which published ports belong. */
  let published: string;

  /** In the namespace of the Engine. */
  const onHost = async (...command: readonly string[]): Promise<string> =>
    (await host.run(...command)).stdout;

  /** A command of the kind of iptables that the Engine uses: another kind would make tables of its own. */
  const rules = (...args: readonly string[]) => onHost(`iptables-${iptables}`, '-w', ...args);

  /** Without times and counters, which change by themselves. */
  const everything = async (): Promise<string> => {
    const tools = ['iptables-nft', 'ip6tables-nft', 'iptables-legacy', 'ip6tables-legacy'];
    const texts = [await onHost('nft', 'list', 'ruleset')];
    for (const tool of tools) texts.push(await onHost(`${tool}-save`));
    return texts
      .join('\n')
      .replace(/^#.*\n?/gm, '')
      .replace(/packets \d+ bytes \d+|\[\d+:\d+\]|expires \w+/g, 'counted');
  };

  const becomes = (what: string, look: () => Promise<boolean>) =>
    waitFor(look, { what, timeout: 60_000, interval: 100 }).catch((error: unknown) => {
      throw new Error(`${error}\n${controller?.output.slice(-4_000)}`);
    });

  const address = () => addressOf(web);

  const firstRule = async (chain: string, table = 'filter') =>
    (await rules('-t', table, '-S', chain)).split('\n').find((line) => line.startsWith('-A'));
  const isFirst = async (chain: string, table?: string) =>
    (await firstRule(chain, table)) === `-A ${chain} ${PASSAGE}`;
  /** Before all other rules. The Engine does not always keep its jump to DOCKER-USER in front. */
  const isFirstOfAll = async () =>
    (await firstRule('FORWARD')) === '-A FORWARD -j DOCKER-USER'
      ? isFirst('DOCKER-USER')
      : isFirst('FORWARD');
  const isPlaced = () => becomes('the passage to be before all other rules', isFirstOfAll);
  const isPlacedInRaw = async () => {
    if (version === '28.5')
      await becomes('the passage to be first in raw', () => isFirst('PREROUTING', 'raw'));
  };
  const isLoaded = async () =>
    (await onHost('nft', 'list', 'tables')).includes('table inet egresstrator_host');

  /** Where rules of others drop all that is forwarded, and the guard all that is not registered. */
  const forwards = async () => {
    const isOpen = async () => (await host.calls(published, 8080)) === 'ok';
    await becomes('the forward to lead through', isOpen);
    expect(await host.calls(published, 8081)).toBe('timeout');
  };
  const forwardsAlone = async () => {
    await forwards();
    expect(await host.calls(address(), 80)).toBe('timeout');
  };

  const start = async (...args: readonly string[]): Promise<void> => {
    const folder = controller === undefined ? {} : { folder: controller.folder };
    controller = await host.control(['--drift-interval', scans, ...args], folder);
  };
  const startAll = () => start('--forwards', 'on', '--ports', 'enforce', '--ports-family', 'both');

  const cli = (...command: readonly string[]): Promise<CliResult> => {
    const { folder, socket } = controller ?? { folder: '', socket: '' };
    const folders = ['--state-dir', `${folder}/state`, '--run-dir', `${folder}/run`, '--socket', socket];
    return runCli([
      ...command,
      '--docker-host',
      `unix://${host.engine.socketPath}`,
      '-i',
      host.image,
      ...folders,
    ]);
  };

  beforeAll(async () => {
    host = await EngineHost.start(version, {
      ...options,
      daemonOptions: ['--userland-proxy=false', ...more],
    });
    published = host.engine.publishedAddress;
    const args = [...publish('8080:80', '8081:81'), '--restart', 'always', '--stop-timeout', '1'];
    web = await host.workloads.run('web', { args });
    await web.probe.serve([80, 81]);
    other = await host.workloads.run('other', { network: await host.workloads.network('other') });
    await host.register('web-8080', published, 8080);
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await host?.[Symbol.asyncDispose]();
  });

  test('the host is as it was when its rules are cleared', async () => {
    const before = await everything();
    await startAll();
    await isPlaced();
    expect(await everything()).not.toBe(before);
    const refused = await cli('host', 'clear', '--yes');
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('would load the rules again'),
    ]);
    expect(await isFirstOfAll()).toBe(true);
    await controller?.stop();
    const cleared = await cli('host', 'clear', '--yes');
    expect([cleared.code, cleared.stderr]).toEqual([0, expect.stringContaining('removed')]);
    expect(await everything()).toBe(before);
  });

  test('forwards pass rules of others that drop, and come first again', async () => {
    await rules('-F', 'DOCKER-USER');
    await rules('-A', 'DOCKER-USER', '-j', 'DROP');
    expect(await host.calls(published, 8080)).toBe('timeout');
    await startAll();
    await forwardsAlone();
    await rules('-F', 'DOCKER-USER');
    await isPlaced();
    await rules('-I', 'DOCKER-USER', '-j', 'DROP');
    await isPlaced();
    await forwardsAlone();
    await isPlacedInRaw();
    expect(await host.answers(published, 8080, other.probe)).toBe('ok');
    expect(await host.calls(address(), 80, other.probe)).toBe('timeout');
  });

  test('are back when all rules of nftables are flushed', async () => {
    await onHost('nft', 'flush', 'ruleset');
    await becomes('the table to be back', isLoaded);
    await forwards();
    expect(await host.calls(address(), 81)).toBe('timeout');
  });

  test('are back when a firewall has wiped all tables, and is named if it drops', async () => {
    for (const table of XTABLES) {
      await rules('-t', table, '-F');
      await rules('-t', table, '-X');
    }
    await onHost(
      'nft',
      'add table inet strict; add chain inet strict f { type filter hook forward priority 20; policy drop; }',
    );
    await rules('-P', 'FORWARD', 'DROP');
    await rules('-A', 'FORWARD', '-s', '192.0.2.7', '-j', 'ACCEPT');
    await isPlaced();
    expect(await host.calls(published, 8080)).toBe('timeout');
    const named = "nft insert rule inet strict f 'meta mark & 0xfe000000 == 0x64000000 accept'";
    await becomes('the chain to be named', async () => (await cli('host', 'status')).stdout.includes(named));
    expect((await cli('lint')).stdout).toContain(named);
    await onHost('nft', 'insert rule inet strict f meta mark & 0xfe000000 == 0x64000000 accept');
    await forwardsAlone();
    await onHost('nft', 'delete', 'table', 'inet', 'strict');
  });

  test('are in place after a restart of the Engine', async () => {
    await host.engine.restart();
    await isPlaced();
    web = await host.workloads.find('web');
    await web.probe.serve([80, 81]);
    await rules('-I', 'DOCKER-USER', '-j', 'DROP');
    await isPlaced();
    await forwardsAlone();
  });

  test('are in place after a restart of the Engine that leaves containers running', async () => {
    writeFileSync(host.engine.configFile, JSON.stringify({ 'live-restore': true }));
    host.engine.reload();
    const isOn = async () =>
      (await host.workloads.must('info', '--format', '{{.LiveRestoreEnabled}}')).trim() === 'true';
    await becomes('the Engine to know', isOn);
    await host.engine.restart();
    await isPlaced();
    await isPlacedInRaw();
    await forwards();
  });

  test('stay while no controller runs, and are taken over by the next', async () => {
    const before = await everything();
    await controller?.stop('SIGKILL');
    await sleep(500);
    expect(await everything()).toBe(before);
    await forwardsAlone();
    await startAll();
    await forwardsAlone();
  });

  test('the host is as it was when egresstrator is uninstalled', async () => {
    await controller?.stop();
    expect((await cli('host', 'clear', '--yes')).code).toBe(0);
    const before = await everything();
    await startAll();
    await isPlaced();
    await controller?.stop();
    const plan = await cli('uninstall');
    expect([plan.code, plan.stdout]).toEqual([
      2,
      expect.stringContaining('of this host: ports of containers'),
    ]);
    const { code, stderr } = await cli('uninstall', '--yes');
    expect([code, stderr]).toEqual([0, '']);
    expect(await everything()).toBe(before);
  });
});
