/**
 * Every command on a large host: it ends, and says what it says on a small one. How long it takes is measured by
 * `npm run bench -- --only commands`.
 */
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActions } from '../../../../src/cli/lazy-commands.ts';
import { createProgram } from '../../../../src/cli/program.ts';
import { type LargeHost, openLargeHost } from '../../../support/large-host.ts';

let host: LargeHost;
beforeAll(async () => {
  host = await openLargeHost();
}, 60_000);
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
  ['status of one', () => run('status', 'w7'), /^workloads +w7$/m],
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
] as const)('%s', async (_name, work, expected) => {
  expect(await work()).toMatch(expected);
});
