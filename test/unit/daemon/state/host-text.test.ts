/** Which text of the host's rules may be loaded again: the last one under its own boot, else the one without openings. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HostFiles } from '../../../../src/daemon/state/host-files.ts';
import { readHostText } from '../../../../src/daemon/state/host-text.ts';
import { FakeLog } from '../../../support/fakes.ts';

const textOf = (digit: string) =>
  `table inet egresstrator_host {\n  comment "egresstrator v1 ${digit.repeat(32)}"\n}\n# end\n`;

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egt-host-text-'));
  const files = new HostFiles(folder, 'boot-1', new FakeLog());
  files.save('a'.repeat(32), () => ({ loaded: textOf('a'), afterReboot: textOf('b') }));
  await files.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('under the same boot the last text, as a loader takes it', async () => {
  const found = await readHostText(folder, 'boot-1');
  expect(found).toMatchObject({ fingerprint: 'a'.repeat(32), isOfThisBoot: true });
  expect(found?.text).toContain(textOf('a'));
  expect(found?.text).not.toContain('define settled');
});

test.each(['boot-2', undefined])('under another boot (%s) the text that opens nothing', async (boot) => {
  expect(await readHostText(folder, boot)).toMatchObject({
    fingerprint: 'b'.repeat(32),
    isOfThisBoot: false,
  });
});

test('a text that is cut short, and no text, are none', async () => {
  writeFileSync(join(folder, 'host.boot.nft'), textOf('b').slice(0, -5));
  expect(await readHostText(folder, 'boot-2')).toBeUndefined();
  expect(await readHostText(join(folder, 'none'), 'boot-1')).toBeUndefined();
});
