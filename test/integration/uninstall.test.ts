/**
 * docs/uninstalling.md on real Engines: what egresstrator put on a host goes, nothing else does, and what cannot go is
 * told and taken the next time.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Consul, startConsul } from '../../lab/consul.ts';
import { waitFor } from '../../lab/wait.ts';
import { gateStatus } from '../../src/gate/status.ts';
import { type CliResult, type RunningController, runCli, startController } from '../support/egresstrator.ts';
import { onEachEngine } from '../support/engines.ts';
import { type GateLab, openGateLab } from './gate-lab.ts';

onEachEngine((version) => {
  const folder = mkdtempSync(join(tmpdir(), 'egt-uninstall-'));
  const state = join(folder, 'state');
  let lab: GateLab;
  let consul: Consul;
  let controller: RunningController;

  beforeAll(async () => {
    [lab, consul] = await Promise.all([openGateLab(version), startConsul()]);
    await consul.call('PUT', '/v1/kv/gone/db', '172.31.77.10:tcp/80');
    await consul.call('PUT', '/v1/kv/other/db', '172.31.77.10:tcp/80');
    const from = ['-c', consul.address, '-k', 'gone/', '--ingress-path', 'gone-in/'];
    const args = [...from, '--loader', 'nsenter', '--node', 'here', '--publish'];
    controller = await startController({
      ...{ engine: lab.engine, folder, args: [...args, '--run-dir', lab.settings.runDir] },
    });
    await makeImages();
    const asks = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'];
    await start('asks', ...asks);
    await start('gated', ...asks, '--runtime', 'egresstrator');
    await start('plain');
    await cli('set', 'plain', '--rules', 'db');
    await waitFor(async () => (await held()).every(Boolean), { what: 'rules in all three' });
    await waitFor(() => existsSync(join(state, 'loads.json')), { what: 'a state' });
    await waitFor(async () => (await keys('egress/status/')) > 0, { what: 'a status', timeout: 60_000 });
  }, 180_000);
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await consul?.stop();
    await lab?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (name: string, ...args: readonly string[]) =>
    lab.docker('run', '-d', '--name', name, '--network', 'gate', ...args, lab.image, 'sleep', '100000');
  /** Two of ours, and one that somebody built from ours. */
  async function makeImages(): Promise<void> {
    const id = await lab.docker('create', lab.image, 'true');
    for (const name of ['egresstrator:9.9.9', 'derived:1'])
      await lab.docker('commit', '--change', 'LABEL egresstrator.helper=5', id, name);
    await lab.docker('rm', id);
    await lab.docker('tag', lab.image, 'egresstrator-empty:1');
  }
  const images = async () =>
    (await lab.docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')).split('\n');
  const held = () =>
    Promise.all(['asks', 'plain'].map(async (name) => (await lab.tables(name)).includes('egresstrator')));
  const keys = async (prefix: string): Promise<number> => {
    const { body } = await consul.call('GET', `/v1/kv/${prefix}?keys`);
    return Array.isArray(body) ? body.length : 0;
  };
  const cli = (...args: readonly string[]): Promise<CliResult> => {
    const { libDir, runDir } = lab.settings;
    const gate = args[0] === 'uninstall' ? ['--lib-dir', libDir] : [];
    const places = ['--socket', controller.socket, '--state-dir', state, '--run-dir', runDir, ...gate];
    const from = [
      '-c',
      consul.address,
      '-k',
      'gone/',
      '--ingress-path',
      'gone-in/',
      '-H',
      `unix://${lab.engine.socketPath}`,
    ];
    return runCli([...args, ...places, ...from, '--node', 'here']);
  };

  test('nothing is removed while a controller would load it again', async () => {
    const refused = await cli('uninstall', '--yes');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`a controller answers at ${controller.socket}`);
    expect(await held()).toEqual([true, true]);
  });

  test('where nobody can be asked it tells what would go, and that is all', async () => {
    await controller.stop('SIGKILL');
    const asked = await cli('uninstall');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toBe('egresstrator: nothing was removed: without a terminal, add --yes');
    const expected = ['in asks', 'in gated', 'in plain', state, lab.settings.runDir, lab.settings.libDir];
    for (const what of [...expected, 'egresstrator:9.9.9', 'egresstrator-empty:1'])
      expect(asked.stdout).toContain(what);
    expect(asked.stdout).not.toContain('derived:1');
    expect(await held()).toEqual([true, true]);
    expect(existsSync(join(state, 'known.json'))).toBe(true);
    expect((await gateStatus(lab.settings)).knownToEngine).toBe(true);
  });

  test('what cannot go is told, and holds up nothing else', async () => {
    writeFileSync(join(state, 'notes.txt'), 'of somebody else');
    const first = await cli('uninstall', '--yes', '--json');
    expect(first.code).toBe(1);
    const { steps } = JSON.parse(first.stdout);
    const left = steps.filter((one: { state: string }) => one.state === 'left');
    expect(left).toMatchObject([
      { part: 'gate', reason: expect.stringContaining('gated') },
      { part: 'state', reason: 'it has files of others: notes.txt' },
      { part: 'run', reason: 'the gate needs it while it is installed' },
    ]);
    expect(await held()).toEqual([false, false]);
    expect(existsSync(join(state, 'known.json'))).toBe(false);
    expect(existsSync(join(state, 'notes.txt'))).toBe(true);
    expect((await gateStatus(lab.settings)).installed).toBe(true);
  });

  test('the next time the rest goes, and what is not ours stays', async () => {
    await lab.docker('rm', '-f', 'gated');
    rmSync(join(state, 'notes.txt'));
    const second = await cli('uninstall', '--yes');
    expect(second).toMatchObject({ code: 0, stderr: '' });
    for (const path of [state, lab.settings.runDir, lab.settings.libDir])
      expect([path, existsSync(path)]).toEqual([path, false]);
    const config = join(lab.settings.libDir, '..', 'daemon.json');
    expect(readFileSync(config, 'utf8')).toBe(lab.configBefore);
    expect((await gateStatus(lab.settings)).knownToEngine).toBe(false);
    expect(await images()).toContain('derived:1');
    expect((await images()).filter((name) => /^egresstrator(-[a-z]+)?:/.test(name))).toEqual([]);
    expect(await keys('gone/')).toBe(1);
    expect(await lab.docker('ps', '--format', '{{.Names}}')).toContain('asks');
  });

  test('--keys takes the rules and this host out of Consul, and nothing beside them', async () => {
    expect(await keys('egress/status/')).toBe(1);
    await consul.call('PUT', '/v1/kv/gone-in/web', '10.0.0.0/8:tcp/80');
    const third = await cli('uninstall', '--yes', '--keys');
    expect(third).toMatchObject({ code: 0, stderr: '' });
    expect(third.stdout).toContain('1 ACL key below gone/');
    expect(third.stdout).toContain('1 ingress key below gone-in/');
    expect(await Promise.all(['gone/', 'gone-in/', 'other/', 'egress/status/'].map(keys))).toEqual([
      0, 0, 1, 0,
    ]);
    const { body } = await consul.call('GET', '/v1/agent/services');
    expect(Object.keys(body ?? {})).not.toContain('egresstrator-here');
    const last = await cli('uninstall', '--keys');
    expect(last).toMatchObject({ code: 0, stderr: '' });
    expect(last.stdout).toContain('Nothing of egresstrator was found on this host.');
  });
});
