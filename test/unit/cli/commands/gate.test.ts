/** The gate reads the same settings as the controller, or it would look for prepared rules where none are. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addGate } from '../../../../src/cli/commands/gate.ts';

/** What `gate status` says of a host without a gate and without an Engine. */
async function statusWith(environment: NodeJS.ProcessEnv): Promise<string> {
  const printed: string[] = [];
  const stdout = new Writable({
    write: (chunk, _encoding, done) => {
      printed.push(String(chunk));
      done();
    },
  });
  const root = mkdtempSync(join(tmpdir(), 'no-gate-'));
  const program = new Command();
  addGate(program, {
    stdout,
    stderr: stdout,
    environment: { ...environment, DOCKER_HOST: `unix://${root}/none.sock` },
  });
  await expect(
    program.parseAsync(['gate', 'status', '--root', root, '--json'], { from: 'user' }),
  ).rejects.toThrow();
  return printed.join('');
}

test.each([
  [{}, '/run/egresstrator'],
  [{ EGRESSTRATOR_RUN_DIR: '/srv/run' }, '/srv/run'],
  [{ EGRESSTRATOR_RUN_DIR: '' }, '/run/egresstrator'],
  [{ EGRESSTRATOR_RUN_DIR: 'none' }, '/run/egresstrator'],
])('with %o it shares %s with the controller', async (environment, folder) => {
  expect(JSON.parse(await statusWith(environment))).toMatchObject({ runDir: folder });
});
