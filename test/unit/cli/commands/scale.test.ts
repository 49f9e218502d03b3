/**
 * Every command on a large host. How long they take as whole processes is measured by
 * `npm run bench -- --only commands`.
 */
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActions } from '../../../../src/cli/lazy-commands.ts';
import { createProgram } from '../../../../src/cli/program.ts';
import { type LargeHost, openLargeHost } from '../../../support/large-host.ts';

/** Milliseconds; a second where nothing else runs, and this much where tests do. */
const LIMIT = 30_000;

let host: LargeHost;
beforeAll(async () => {
  host = await openLargeHost();
});
afterAll(() => host?.[Symbol.asyncDispose]());

async function run(...args: readonly string[]): Promise<string> {
  let output = '';
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      output += String(chunk);
      done();
    },
  });
  const actions = createActions({ stdout: stream, stderr: stream, environment: {} });
  const program = createProgram('0', actions).exitOverride();
  await program.parseAsync([...args, '--socket', host.socket], { from: 'user' });
  return output;
}

test.each([
  ['status', () => run('status'), /w199 +protected\* .*\* has CAP_NET_RAW/s],
  ['denied', () => run('denied', 'w7'), /w7 +10\./],
  ['denied of all', () => run('denied'), /w199 +10\./],
  ['explain', () => run('explain', 'w7', '10.1.2.3', 'tcp/22'), /w7 may not reach 10\.1\.2\.3 tcp\/22/],
  ['explain of a service', () => run('explain', 'w7', 'service-7'), /w7 may (not )?reach 10\.200\.7\.4/],
  ['suggest', () => run('suggest', 'w7'), /# w7: 50 denied destinations/],
  ['suggest of all', () => run('suggest'), /# w199: 50 denied destinations/],
  ['lint', () => run('lint'), /0 errors/],
  [
    'diff',
    () => run('diff', 'shared', '--file', host.edited),
    /200 workloads have shared; access of 200 changes/,
  ],
] as const)('%s', async (name, work, expected) => {
  await run('lint', '--file', host.edited).catch(() => undefined);
  const started = performance.now();
  const output = await work();
  const milliseconds = performance.now() - started;
  process.stdout.write(`measured: ${name}: ${Math.round(milliseconds)} ms\n`);
  expect(output).toMatch(expected);
  expect(milliseconds).toBeLessThan(LIMIT);
});
