/** What the state folder tells of rules on the host: before the first load, after it, and when they were turned off. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  clearHostFiles,
  HostFiles,
  isHostLeft,
  mayHoldHostRules,
  turnOffHostFiles,
} from '../../../../src/daemon/state/host-files.ts';
import { openHostFiles } from '../../../../src/daemon/state/open.ts';
import { FakeLog } from '../../../support/fakes.ts';

let folder: string;
const log = new FakeLog();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-host-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a run that ended before its first load has told that there may be rules', async () => {
  const path = join(folder, 'new');
  expect(await mayHoldHostRules(path)).toBe(false);
  await new HostFiles(path, 'one', log).begin();
  expect(await mayHoldHostRules(path)).toBe(true);
  expect(await turnOffHostFiles(path, 'one')).toBe(true);
  expect(await isHostLeft(path, 'one')).toBe(true);
  expect(await isHostLeft(path, 'two')).toBe(false);
  await clearHostFiles(path);
  expect(readdirSync(path)).toEqual([]);
  expect(await mayHoldHostRules(path)).toBe(false);
});

test('a folder that cannot be written to is told once, and stops nothing', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, '');
  const files = new HostFiles(path, 'one', log);
  await files.begin();
  files.save('a'.repeat(32), () => ({ loaded: 'x', afterReboot: 'y' }));
  await files.close();
  expect(log.lines).toMatchObject([
    { level: 'warn', message: expect.stringContaining('could not be written') },
  ]);
});

test('a start with everything off succeeds where the files of an earlier run cannot be removed', async () => {
  await new HostFiles(folder, 'one', log).begin();
  mkdirSync(join(folder, 'host.left'));
  const later = new FakeLog();
  expect(await openHostFiles({ stateDir: folder, dryRun: false, host: undefined }, later)).toBeUndefined();
  expect(later.lines).toMatchObject([
    { level: 'warn', fields: { path: folder }, message: expect.stringContaining('could not be removed') },
  ]);
});
