/** A signal to a script that is still installing: what it has started ends with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identify, readOrUndefined } from '../../../lab/process.ts';
import { waitFor } from '../../../lab/wait.ts';

/** A checkout in which nothing is installed, and an npm that takes its time. */
function checkout() {
  const root = mkdtempSync(join(tmpdir(), 'egt-bootstrap-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const path of ['package.json', 'package-lock.json', 'scripts/bootstrap', 'scripts/find-node'])
    cpSync(path, join(root, path));
  for (const path of ['scripts/is-installed.mjs', 'scripts/start']) cpSync(path, join(root, path));
  const programs = join(root, 'programs');
  mkdirSync(programs);
  const npm = `#!/bin/sh\necho $$ >${join(root, 'npm.pid')}\nexec sleep 60\n`;
  writeFileSync(join(programs, 'npm'), npm, { mode: 0o755 });
  symlinkSync(process.execPath, join(programs, 'node'));
  return { root, PATH: `${programs}:${process.env.PATH}` };
}

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends npm too', async (signal) => {
  const { root, PATH } = checkout();
  const start = spawn('sh', [join(root, 'scripts/start')], { stdio: 'ignore', env: { PATH } });
  const ended = once(start, 'exit');
  const npm = await waitFor(() => Number(readOrUndefined(join(root, 'npm.pid'))) || undefined, {
    what: 'npm',
  });
  expect(identify(npm)).toBeDefined();
  start.kill(signal);
  expect(await ended).toEqual([143, null]);
  await waitFor(() => identify(npm) === undefined, { what: 'the end of npm' });
});
