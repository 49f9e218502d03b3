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
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shippedGate, writeBundle } from './bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'egresstrator-runtime-'));
const bundle = join(folder, 'c0ffee');
const log = join(folder, 'log.json');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const name of ['runtime', 'judge.awk']) copyFileSync(join(shippedGate, name), join(folder, name));
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
    [['create', '--bundle', '/b', 'c0ffee']],
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
    // Where the process can not be recognised the real runtime is asked, which here knows nothing.
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
