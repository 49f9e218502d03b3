/** The command line of docker-iptables.py, as units call it, and the unit that calls `forwards` itself. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

/** What it would run. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { status, stdout, stderr } = spawnSync('sh', ['deploy/docker-iptables', ...args], {
    env: { ...process.env, EGRESSTRATOR: 'echo', ...env },
    encoding: 'utf8',
  });
  return { status, stdout: stdout.trim(), stderr: stderr.trim() };
};

test.each([
  ['create web', 'forwards create web'],
  ['delete web', 'forwards delete web'],
  ['create web --chain FORWARDS --ipv6', 'forwards create web --chain FORWARDS --ipv6'],
  ['--debug --iptables-dir /a create --ip6tables-dir /b web', '--debug --iptables-dir /a --ip6tables-dir /b'],
])('%s', (line, asked) => {
  expect(run(line.split(' '))).toMatchObject({ status: 0, stdout: expect.stringContaining(asked) });
  expect(run(line.split(' ')).stdout).toMatch(/^forwards (create|delete) web/);
});

test('keeps files where the environment says so', () => {
  const env = { EGRESSTRATOR_WRITE_FILES: '1' };
  expect(run(['create', 'web'], env).stdout).toBe('forwards create web --write-files');
});

test.each([
  [[], 'docker-iptables: expected create or delete, not ""'],
  [['restart', 'web'], 'docker-iptables: expected create or delete, not "restart"'],
  [['create', 'web', '--chain'], 'docker-iptables: --chain needs a value'],
])('%j ends in one sentence', (args, sentence) => {
  const { status, stderr } = run(args);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(sentence) });
  expect(stderr.split('\n')).toHaveLength(1);
});
