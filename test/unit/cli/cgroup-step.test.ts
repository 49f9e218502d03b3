/** The cgroup of sockets that answered names, as `uninstall` looks for it. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findCgroup } from '../../../src/cli/uninstall/cgroup-step.ts';
import { runSteps } from '../../../src/cli/uninstall/step.ts';
import { joinFolder } from '../../../src/name-proxy/proxy-cgroup.ts';

const open = () => {
  const root = mkdtempSync(join(tmpdir(), 'egt-cgroup-step-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [folder, stateDir] = [join(root, 'egresstrator-names'), join(root, 'state')];
  mkdirSync(stateDir);
  mkdirSync(folder);
  writeFileSync(join(stateDir, 'names.json'), '{}');
  const steps = (dir: string | undefined = stateDir) => findCgroup(root, dir, () => folder);
  return { root, folder, steps };
};

it('is removed', async () => {
  const { folder, steps } = open();
  const found = await steps();
  expect(found).toMatchObject([{ part: 'cgroup', what: folder }]);
  expect(await runSteps({ steps: found, unknown: [] })).toEqual([
    { part: 'cgroup', what: folder, state: 'removed' },
  ]);
  expect(existsSync(folder)).toBe(false);
});

it('stays while a controller uses it, and the way out is told', async () => {
  const { folder, steps } = open();
  joinFolder(folder);
  expect(await runSteps({ steps: await steps(), unknown: [] })).toMatchObject([
    {
      ...{ part: 'cgroup', state: 'left' },
      reason: `the process ${process.pid} uses it; when that has ended: find ${folder} -depth -type d -exec rmdir {} +`,
    },
  ]);
  expect(existsSync(folder)).toBe(true);
});

it('is not looked for where no names were answered, nor found where there is none', async () => {
  const { root, steps } = open();
  expect(await steps(join(root, 'other'))).toEqual([]);
  expect(await findCgroup(root, undefined, () => undefined)).toEqual([]);
});
