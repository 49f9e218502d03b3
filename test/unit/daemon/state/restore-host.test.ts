/** At a start, the last rules of the host are loaded where the kernel has none, and nothing else is touched. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostFiles } from '../../../../src/daemon/state/host-files.ts';
import { restoreHost } from '../../../../src/daemon/state/restore-host.ts';
import { type Loaded, NOTHING_LOADED, type Ruleset } from '../../../../src/inventory/ruleset.ts';
import { FakeLog } from '../../../support/fakes.ts';

const [LAST, AFTER_REBOOT] = ['a'.repeat(32), 'b'.repeat(32)];
const textOf = (fingerprint: string) =>
  `table inet egresstrator_host {\n  comment "egresstrator v1 ${fingerprint}"\n}\n# end\n`;

let folder: string;
let log: FakeLog;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egt-restore-'));
  log = new FakeLog();
  const files = new HostFiles(folder, 'boot-1', log);
  files.save(LAST, () => ({ loaded: textOf(LAST), afterReboot: textOf(AFTER_REBOOT) }));
  await files.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is loaded in a kernel that has `there`. */
async function restored(boot: string, there: Partial<Loaded> = {}): Promise<readonly string[]> {
  const loads: string[] = [];
  const load = async (_: unknown, { owner, fingerprint }: Ruleset) => {
    loads.push(`${owner} ${fingerprint}`);
    return { ...NOTHING_LOADED, fingerprint };
  };
  const inspect = async () => ({ loaded: { ...NOTHING_LOADED, ...there } });
  await restoreHost(folder, boot, { inspect, load }, log);
  return loads;
}

test('under the same boot the last rules, after another those that open nothing', async () => {
  expect(await restored('boot-1')).toEqual([`host ${LAST}`]);
  expect(await restored('boot-2')).toEqual([`host ${AFTER_REBOOT}`]);
});

test('nothing where rules are loaded, and where no earlier run has left any', async () => {
  expect(await restored('boot-2', { fingerprint: 'c'.repeat(32) })).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(await restored('boot-1')).toEqual([]);
});

test('a kernel that cannot be asked is no reason to end', async () => {
  const fails = async () => {
    throw new Error('no Engine');
  };
  await restoreHost(folder, 'boot-1', { inspect: fails, load: fails }, log);
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { error: 'no Engine' } }]);
});
