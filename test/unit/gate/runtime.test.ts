/**
 * The gate as a program, around a runtime that only says how it was called: what goes straight on, and
 * what is refused before any namespace comes into play.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AWK_PROGRAMS } from '../../../src/gate/programs.ts';
import { gateFolder, writeBundle } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-runtime-'));
const bundle = join(folder, 'c0ffee');
const log = join(folder, 'log.json');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const name of ['runtime', ...AWK_PROGRAMS]) copyFileSync(join(gateFolder, name), join(folder, name));
  const real = join(folder, 'real');
  writeFileSync(real, '#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done\n');
  chmodSync(real, 0o755);
  mkdirSync(join(folder, 'run/gate'), { recursive: true });
  mkdirSync(bundle);
  const conf = { runtime: real, run_dir: join(folder, 'run'), containers: join(bundle, 'containers') };
  const lines = Object.entries(conf).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(join(folder, 'gate.conf'), lines.join(''));
});

const works = (shell: string) => spawnSync('sh', ['-c', `${shell} -c :`]).status === 0;

describe.each(['sh', 'dash', 'bash', 'bash --posix', 'busybox sh'].filter(works))('in %s', (shell) => {
  const call = (...args: string[]) => {
    rmSync(log, { force: true });
    const [program = 'sh', ...options] = shell.split(' ');
    const { status, stdout, stderr } = spawnSync(program, [...options, join(folder, 'runtime'), ...args], {
      cwd: bundle,
      encoding: 'utf8',
    });
    return { status, stderr, words: stdout.split('\n').slice(0, -1) };
  };

  test.each([
    [
      [
        '--root',
        '/r',
        '--log',
        '/l',
        '--log-format',
        'json',
        '--systemd-cgroup',
        'kill',
        '--all',
        'c0ffee',
        '9',
      ],
    ],
    [['--version']],
    [['features']],
    [['exec', '--process', '/a b', 'c0ffee', 'start']],
    [['delete', 'start']],
    [['state', 'a"b\nc', '', '$(x)']],
    [[]],
  ])('%j goes on as it is', (args) => {
    expect(call(...args)).toEqual({ status: 0, stderr: '', words: args.flatMap((arg) => arg.split('\n')) });
  });

  test.each([
    [['start', 'c0ffee']],
    [['--root', 'delete', 'start', 'c0ffee']],
    [['--root=/r', '--log-format', 'json', '--rootless', 'true', 'start', 'c0ffee']],
    [['--unknown', 'value', 'start', 'c0ffee']],
    [['run', '--bundle', bundle, 'c0ffee']],
    [['restore', '-b', bundle, '--detach', 'c0ffee']],
  ])('%j of a container that asks for nothing goes on as it is', (args) => {
    writeBundle(bundle, {});
    writeFileSync(join(bundle, 'init.pid'), '1');
    // Where the process cannot be recognised the real runtime is asked, which here knows nothing.
    const { status, words, stderr } = call(...args);
    if (args.includes('start')) expect(stderr).toContain('does not tell the process');
    else expect([status, words]).toEqual([0, args]);
  });

  test.each(['run', 'restore'])('%s of a workload is refused', (verb) => {
    writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'] });
    const { status, words, stderr } = call('--log', log, verb, '--bundle', bundle, 'c0ffee');
    expect([status, words]).toEqual([1, []]);
    expect(stderr).toMatch(
      /^egresstrator gate: container c0ffee asks for rules, and '\w+' leaves no time .*\n$/,
    );
    expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual({
      level: 'error',
      msg: stderr.trim().replaceAll('"', "'"),
    });
  });

  const capabilities = ['CAP_NET_RAW', 'CAP_KILL'];
  const boundingOf = (file: string) => {
    const { process, capabilities: own } = JSON.parse(readFileSync(file, 'utf8'));
    return (process?.capabilities ?? own).bounding;
  };
  const create = (...options: string[]) =>
    call('--log', log, 'create', '--pid-file', '/p', ...options, 'c0ffee');

  test.each([[['--bundle', bundle]], [[`-b=${bundle}`]], [['--bundle', '.']], [[]]])(
    'create with %j takes CAP_NET_RAW from a workload',
    (options) => {
      writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'], capabilities });
      const words = ['--log', log, 'create', '--pid-file', '/p', ...options, 'c0ffee'];
      expect(create(...options)).toEqual({ status: 0, stderr: '', words });
      expect(boundingOf(join(bundle, 'config.json'))).toEqual(['CAP_KILL']);
      expect(readFileSync(join(bundle, 'egresstrator'), 'utf8')).toMatch(
        /^workload\nown\nnone\n[\s\S]*\nend\n$/,
      );
    },
  );

  test('create leaves it to one that asks for nothing, and to one that asks for it', () => {
    writeBundle(bundle, { capabilities });
    expect(create().status).toBe(0);
    expect(readFileSync(join(bundle, 'egresstrator'), 'utf8')).toBe('pass\n');
    expect(boundingOf(join(bundle, 'config.json'))).toEqual(capabilities);
    writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'], capabilities, capAdd: ['NET_RAW'] });
    expect(create().status).toBe(0);
    expect(readFileSync(join(bundle, 'egresstrator'), 'utf8')).toMatch(/^workload\nown\nasked\n/);
    expect(boundingOf(join(bundle, 'config.json'))).toEqual(capabilities);
  });

  test('create of what nobody can read is refused', () => {
    writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'] }, (json) => json.slice(0, -9));
    const { status, words } = create();
    expect([status, words]).toEqual([1, []]);
    expect(readFileSync(log, 'utf8')).toContain('cut short');
  });

  test('exec takes it where create did', () => {
    const file = join(folder, 'a process.json');
    const execute = (bundled: Parameters<typeof writeBundle>[1]) => {
      writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'], capabilities, ...bundled });
      expect(create().status).toBe(0);
      writeFileSync(file, JSON.stringify({ args: ['sh'], capabilities: { bounding: capabilities } }));
      const words = ['exec', '--process', file, '--detach', 'c0ffee'];
      expect(call(...words)).toEqual({ status: 0, stderr: '', words });
      return boundingOf(file);
    };
    expect(execute({})).toEqual(['CAP_KILL']);
    expect(execute({ environment: [] })).toEqual(capabilities);
    expect(execute({ capAdd: ['NET_RAW'] })).toEqual(capabilities);
    expect(readdirSync(bundle).filter((name) => name.includes('process'))).toEqual([]);
  });

  test('exec of what nobody can read is refused', () => {
    const file = join(folder, 'process.json');
    writeBundle(bundle, { environment: ['EGRESSTRATOR_ENABLE=1'], capabilities });
    expect(create().status).toBe(0);
    writeFileSync(file, '{"capabilities":{"bounding":["CAP_NET_RAW');
    expect(call('exec', '--process', file, 'c0ffee')).toMatchObject({ status: 1, words: [] });
  });

  test.each(['', '../x', 'a/b', '.hidden', 'a b'])('an id like %j is refused', (id) => {
    const { status, stderr } = call('--log', log, 'start', id);
    expect(status).toBe(1);
    expect(stderr).toContain('is none that Docker would use');
    expect(JSON.parse(readFileSync(log, 'utf8'))).toHaveProperty('level', 'error');
  });

  test('delete removes the record of that container alone', () => {
    const record = (name: string) => join(folder, 'run/gate', name);
    for (const name of ['c0ffee', 'other']) writeFileSync(record(name), 'x');
    expect(call('--root', '/r', 'delete', '--force', 'c0ffee').status).toBe(0);
    expect([existsSync(record('c0ffee')), existsSync(record('other'))]).toEqual([false, true]);
  });
});
