/** Programs that end, fail, hang, leave children and talk too much. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runProgram } from '../../../src/dataplane/run-program.ts';

const shell = (script: string, changes: { stdin?: string; limit?: number } = {}) =>
  runProgram({ file: 'sh', args: ['-c', script], limit: 10_000, mostOutput: 10_000, ...changes });

test('stdin, stdout, stderr and the exit code', async () => {
  expect(await shell('cat; echo no >&2; exit 3', { stdin: 'text\n' })).toEqual({
    exitCode: 3,
    stdout: 'text\n',
    stderr: 'no\n',
    expired: false,
    failure: undefined,
  });
});

test('a program that does not read its stdin', async () => {
  expect(await shell('exit 0', { stdin: 'x'.repeat(4_000_000) })).toMatchObject({ exitCode: 0 });
});

test('it sees nothing of our environment', async () => {
  process.env.CONSUL_HTTP_TOKEN_OF_TEST = 'secret';
  const { stdout } = await shell('env');
  delete process.env.CONSUL_HTTP_TOKEN_OF_TEST;
  expect(stdout).not.toContain('secret');
  expect(stdout).toContain('/usr/sbin');
});

test('when its time is over it ends, and all that it started', async () => {
  const mark = `2147.${process.pid}`;
  const before = performance.now();
  const ended = await shell(`sleep ${mark} & sleep ${mark}; echo never`, { limit: 200 });
  expect(ended).toMatchObject({ expired: true, exitCode: undefined, stdout: '' });
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(commandLines().filter((line) => line.includes(mark))).toEqual([]);
});

test('more output than is wanted ends it', async () => {
  expect(await shell('while :; do echo much; done')).toMatchObject({ failure: expect.any(String) });
});

test('a program that is not there', async () => {
  const ended = await runProgram({ file: 'no-such-program', args: [], limit: 1_000, mostOutput: 10 });
  expect(ended).toMatchObject({ exitCode: undefined, failure: expect.stringContaining('ENOENT') });
});

const commandLines = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
