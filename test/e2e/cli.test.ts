/**
 * The commands as a user types them: what they do to real containers with no controller running and
 * with one, and what they print.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureWorkloadImage } from '../../lab/images.ts';
import { waitFor } from '../../lab/wait.ts';
import { type CliResult, packageVersion, type RunningController, runCli } from '../support/egresstrator.ts';
import { becomes, control, type Fixture, ipv4, openFixture, putKey } from '../support/fixture.ts';
import { handles, inside, ourTables } from '../support/kernel.ts';
import { connects, type Workload } from '../support/workloads.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-cli-'));
let fixture: Fixture;
let server: string;

beforeAll(async () => {
  fixture = await openFixture('28.5');
  server = ipv4(fixture.server);
  await Promise.all([
    putKey(fixture, 'cli/db', `${server}:tcp/80`),
    putKey(fixture, 'cli/cache', `${server}:tcp/81`),
    putKey(fixture, 'cli/mixed', '10.0.0.0/8:tcp/99999', `${server}:tcp/80`, 'what is this'),
  ]);
});
afterAll(async () => {
  await fixture?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const common = (socket: string): readonly string[] => [
  ...['-H', `unix://${fixture.engine.socketPath}`, '-c', fixture.consul.address, '-k', 'cli/'],
  ...['-i', fixture.image, '--socket', socket],
];
/** With no controller running. */
const cli = (...args: readonly string[]): Promise<CliResult> =>
  runCli([...args, ...common(join(folder, 'none.sock'))]);

const reaches = (workload: Workload) => Promise.all([80, 81].map((port) => connects(workload, server, port)));

describe('with no controller running', () => {
  let asks: Workload;
  let plain: Workload;
  beforeAll(async () => {
    [asks, plain] = await Promise.all([
      fixture.workloads.run('asks', { acl: 'db' }),
      fixture.workloads.run('plain'),
    ]);
  });
  afterAll(() => fixture.workloads.remove(asks, plain));

  test.each(['nsenter', 'helper'])('set and clear, by %s', async (loader) => {
    const set = await cli('set', asks.name, '--loader', loader);
    expect(set).toEqual({ code: 0, stdout: `${asks.name}: rules loaded (protected)`, stderr: '' });
    expect(await reaches(asks)).toEqual(['ok', 'refused']);
    expect(await ourTables(inside(plain.pid))).toEqual([]);

    const other = await cli('set', asks.id.slice(0, 12), '--rules', 'cache', '--loader', loader);
    expect(other.code).toBe(0);
    expect(await reaches(asks)).toEqual(['refused', 'ok']);
    const both = await cli('set', asks.name, '--rules', ' db, cache ', '--loader', loader);
    expect(both.code).toBe(0);
    expect(await reaches(asks)).toEqual(['ok', 'ok']);
    expect(await connects(asks, ipv4(fixture.other), 80)).toBe('refused');
    // Nobody knows whether what is there was altered, so it is loaded anew.
    const before = await handles(asks.pid);
    await cli('set', asks.name, '--rules', 'db,cache', '--loader', loader);
    expect(await handles(asks.pid)).not.toBe(before);
    expect(await reaches(asks)).toEqual(['ok', 'ok']);

    const clear = await cli('clear', asks.name, '--loader', loader);
    expect(clear).toEqual({ code: 0, stdout: `${asks.name}: rules removed (cleared)`, stderr: '' });
    expect(await ourTables(inside(asks.pid))).toEqual([]);
    expect(await connects(asks, ipv4(fixture.other), 80)).toBe('ok');
    expect((await cli('clear', asks.name, '--loader', loader)).code).toBe(0);
  });

  test('set --rules works for a container that asks for nothing', async () => {
    const refused = await cli('set', plain.name);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toBe(
      `egresstrator: ${plain.name} was not started with EGRESSTRATOR_ENABLE=1; give its keys by --rules key1,key2`,
    );
    expect((await cli('set', plain.name, '--rules', 'db')).code).toBe(0);
    expect(await reaches(plain)).toEqual(['ok', 'refused']);
    expect((await cli('clear', plain.name)).code).toBe(0);
    expect(await reaches(plain)).toEqual(['ok', 'ok']);
  });

  test('set --all and clear --all are about those that ask', async () => {
    const second = await fixture.workloads.run('second', { acl: 'cache' });
    const set = await cli('set', '--all', '--json');
    expect(set.code).toBe(0);
    const { results } = JSON.parse(set.stdout);
    const names = [asks.name, second.name].sort();
    const byName = (one: { container: string }, other: { container: string }) =>
      one.container < other.container ? -1 : 1;
    expect(results.toSorted(byName)).toMatchObject(
      names.map((container) => ({ container, state: 'protected' })),
    );
    expect([await reaches(asks), await reaches(second)]).toEqual([
      ['ok', 'refused'],
      ['refused', 'ok'],
    ]);
    await cli('set', '--all', '--rules', 'db,cache');
    expect([await reaches(asks), await reaches(second)]).toEqual([
      ['ok', 'ok'],
      ['ok', 'ok'],
    ]);
    expect(await ourTables(inside(plain.pid))).toEqual([]);
    const clear = await cli('clear', '--all', '--yes');
    expect(clear.code).toBe(0);
    expect(clear.stdout.split('\n').sort()).toEqual(
      [asks, second].map(({ name }) => `${name}: rules removed (cleared)`).sort(),
    );
    for (const { pid } of [asks, second]) expect(await ourTables(inside(pid))).toEqual([]);
    await fixture.workloads.remove(second);
    const alone = await cli('clear', '--all', '--yes');
    expect(alone.stdout.split('\n')).toHaveLength(1);
  });

  test('set --all and clear --all go on past a container that can hold no rules, and tell it', async () => {
    const host = `${asks.name}-host`;
    const image = await ensureWorkloadImage(fixture.engine.socketPath);
    const ask = ['-e', 'EGRESSTRATOR_ENABLE=1', '-e', 'EGRESSTRATOR_ACL=db'];
    await fixture.workloads.must(
      'run',
      '-d',
      '--name',
      host,
      '--network',
      'host',
      ...ask,
      image,
      'sleep',
      '1000',
    );
    try {
      for (const [command, done] of [
        ['set', 'rules loaded (protected)'],
        ['clear', 'rules removed (cleared)'],
      ] as const) {
        const { code, stdout, stderr } = await cli(
          command,
          '--all',
          ...(command === 'clear' ? ['--yes'] : []),
        );
        expect({ code, stderr }).toEqual({ code: 1, stderr: `egresstrator: failed for ${host}` });
        expect(stdout.split('\n')).toEqual([
          `${asks.name}: ${done}`,
          expect.stringContaining(`${host}: it runs in the host's own network`),
        ]);
      }
      expect(await ourTables(inside(asks.pid))).toEqual([]);
    } finally {
      await fixture.workloads.must('rm', '-f', host);
    }
  });

  test('clear --all does nothing where nobody can be asked', async () => {
    await cli('set', asks.name);
    const { code, stdout, stderr } = await cli('clear', '--all');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('egresstrator: nothing was cleared: without a terminal, add --yes');
    expect(await reaches(asks)).toEqual(['ok', 'refused']);
    await cli('clear', asks.name);
  });

  test('an unknown key is refused, and changes nothing', async () => {
    await cli('set', asks.name, '--rules', 'db');
    const before = await handles(asks.pid);
    expect(await cli('set', asks.name, '--rules', 'db,nothing')).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'egresstrator: Consul has no ACL key nothing, so nothing was changed (--force accepts missing keys)',
    });
    expect(await handles(asks.pid)).toBe(before);
  });

  test('an unknown key and a bad line are told, and the good lines count', async () => {
    const set = await cli('set', asks.name, '--rules', 'mixed,nothing', '--force');
    expect(set).toMatchObject({ code: 0, stdout: `${asks.name}: rules loaded (protected)` });
    const problemLines = set.stderr.split('\n').sort();
    expect(problemLines).toHaveLength(3);
    expect(problemLines[0]).toMatch(/^mixed: line 1: .*port/);
    expect(problemLines[1]).toMatch(/^mixed: line 3: /);
    expect(problemLines[2]).toBe('nothing: no such ACL key in Consul, so it grants nothing');
    expect(await reaches(asks)).toEqual(['ok', 'refused']);
    await cli('clear', asks.name);
  });

  test('render prints what set would load, and loads nothing', async () => {
    const [text, json, forKeys] = await Promise.all([
      cli('render', asks.name),
      cli('render', asks.name, '--json'),
      cli('render', '--acl', 'db,cache', '--template', 'iptables'),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: '' });
    expect(text.stdout).toContain(`${server} . tcp . 80`);
    expect(text.stdout).not.toContain(`${server} . tcp . 81`);
    const parsed = JSON.parse(json.stdout);
    expect(parsed).toMatchObject({ grants: ['db'], mode: 'enforce', container: asks.name, problems: [] });
    expect(text.stdout).toContain(parsed.fingerprint);
    expect(forKeys.stdout).toMatch(/^#!iptables-restore/);
    expect(forKeys.stdout).toContain(`-d ${server}`);
    expect(await ourTables(inside(asks.pid))).toEqual([]);
  });
});

describe('with a controller running', () => {
  let controller: RunningController;
  let workload: Workload;
  const askController = (...args: readonly string[]) => runCli([...args, '--socket', controller.socket]);

  beforeAll(async () => {
    controller = await control(fixture, 'cli/', ['--drift-interval', '1']);
    workload = await fixture.workloads.run('controlled', { acl: 'db' });
    await becomes(workload, server, 81, 'refused');
  });
  afterAll(async () => {
    await controller?.[Symbol.asyncDispose]();
    await fixture.workloads.remove(workload);
  });

  /** Waits until the controller has compared this workload with the kernel once more. */
  async function lookedAgain(): Promise<void> {
    const since = Date.now();
    const look = async () => {
      const { namespaces } = await controller.status();
      const seen = namespaces.find(({ target }) => target === workload.name);
      return seen === undefined || (seen.verifiedAt ?? 0) > since;
    };
    await waitFor(look, { what: 'another look', timeout: 60_000 });
  }

  test('set and clear are kept until taken back', async () => {
    const set = await askController('set', workload.name, '--rules', 'cache');
    expect(set).toEqual({ code: 0, stdout: `${workload.name}: rules loaded (protected)`, stderr: '' });
    expect(await reaches(workload)).toEqual(['refused', 'ok']);
    await lookedAgain();
    expect(await reaches(workload)).toEqual(['refused', 'ok']);

    expect((await askController('clear', workload.name)).stdout).toBe(
      `${workload.name}: rules removed (cleared)`,
    );
    await lookedAgain();
    expect(await ourTables(inside(workload.pid))).toEqual([]);

    expect((await askController('set', workload.name)).code).toBe(0);
    expect(await reaches(workload)).toEqual(['ok', 'refused']);
  });

  test('a container that was cleared begins with its own rules when it is restarted', async () => {
    await askController('clear', workload.name);
    expect(await reaches(workload)).toEqual(['ok', 'ok']);
    await fixture.workloads.must('restart', '--time', '1', workload.id);
    workload = await fixture.workloads.find('controlled');
    await becomes(workload, server, 81, 'refused');
    expect(await connects(workload, server, 80)).toBe('ok');
  });

  test('--all and --json', async () => {
    const set = await askController('set', '--all', '--rules', 'cache', '--json');
    expect(JSON.parse(set.stdout)).toMatchObject({
      results: [{ container: workload.name, state: 'protected' }],
    });
    expect(await reaches(workload)).toEqual(['refused', 'ok']);
    const clear = await askController('clear', '--all', '--yes', '--json');
    expect(JSON.parse(clear.stdout)).toMatchObject({
      results: [{ container: workload.name, state: 'cleared' }],
    });
    expect(await reaches(workload)).toEqual(['ok', 'ok']);
    await askController('set', workload.name);
    expect(await reaches(workload)).toEqual(['ok', 'refused']);
    const unknown = await askController('set', 'nobody');
    expect(unknown).toEqual({
      code: 1,
      stdout: '',
      stderr: 'egresstrator: there is no running container "nobody"; "docker ps" lists those that run',
    });
  });

  test('health and status', async () => {
    expect(await askController('health')).toEqual({
      code: 0,
      stdout: `the controller at ${controller.socket} is healthy`,
      stderr: '',
    });
    expect(JSON.parse((await askController('health', '--json')).stdout)).toEqual({ ok: true });
    const { namespaces } = JSON.parse((await askController('status', '--json')).stdout);
    expect(namespaces).toMatchObject([{ target: workload.name, state: 'protected', grants: ['db'] }]);
  });

  test('a controller that hangs is not well', async () => {
    controller.signal('SIGSTOP');
    try {
      const hung = await askController('health');
      expect(hung).toMatchObject({ code: 1, stdout: '' });
      expect(hung.stderr).toMatch(/^egresstrator: the controller at .* does not answer .*$/);
    } finally {
      controller.signal('SIGCONT');
    }
  });

  test('colour is for terminals, and not where NO_COLOR is set', async () => {
    const main = join(import.meta.dirname, '../../src/cli/main.ts');
    const command = `${process.execPath} ${main} status --socket ${controller.socket}`;
    const onTerminal = async (environment: Readonly<Record<string, string>>) => {
      const env = { TERM: 'xterm', PATH: process.env.PATH ?? '', ...environment };
      const options = { stdin: 'ignore', extendEnv: false, env } as const;
      return (await execa('script', ['-qec', command, '/dev/null'], options)).stdout;
    };
    const colour = String.fromCharCode(27);
    expect(await onTerminal({})).toContain(colour);
    expect(await onTerminal({ NO_COLOR: '1' })).not.toContain(colour);
    expect((await askController('status')).stdout).not.toContain(colour);
  });
});

describe('help', () => {
  const inspecting = ['status', 'denied', 'explain', 'suggest', 'lint', 'diff'];
  const commands = [
    '',
    'set',
    'clear',
    'uninstall',
    'render',
    'health',
    'gate',
    ...['gate install', 'keys', 'networks'],
    ...inspecting,
  ];

  test.each(commands)('of "%s" fits a terminal of 80 columns', async (command) => {
    const help = await runCli([...command.split(' ').filter(Boolean), '--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: egresstrator ${command}`.trim());
    expect(help.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  test('--version is that of the package', async () => {
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: packageVersion(), stderr: '' });
  });
});
