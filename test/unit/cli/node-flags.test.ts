/** The flags of Node.js that the controller runs with, however it was started. */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';

const module = pathToFileURL('src/cli/node-flags.ts').href;
const script = `
  const { ensureNodeFlags } = await import('${module}');
  ensureNodeFlags();
  console.log(JSON.stringify({ pid: process.pid, flags: process.execArgv, arena: process.env.MALLOC_ARENA_MAX, own: process.env.OWN }));`;

const run = (...flags: readonly string[]) => {
  const args = [...flags, '--input-type=module', '--eval', script];
  const env = { PATH: process.env.PATH, OWN: 'kept' };
  const { pid, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { pid, stderr, result: JSON.parse(stdout) };
};

test('it becomes a Node.js that has them, under the same pid, and keeps its environment and its own flags', () => {
  const { pid, stderr, result } = run('--stack-size=900');
  expect(result).toMatchObject({ pid, arena: '1', own: 'kept' });
  expect(result.flags).toEqual(expect.arrayContaining(['--stack-size=900', '--max-semi-space-size=2']));
  expect(stderr).toBe('');
});

test('it does so once: with them it goes on', () => {
  const given = run().result.flags.filter((flag: string) => /^--(max-semi|heap|optimize)/.test(flag));
  expect(given).toHaveLength(3);
  const { flags, arena } = run(...given).result;
  expect(flags.filter((flag: string) => given.includes(flag))).toEqual(given);
  expect(arena).toBeUndefined();
});
