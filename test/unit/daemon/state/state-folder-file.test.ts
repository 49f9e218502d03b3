/** What all files of the state folder do. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { StateFolderFile } from '../../../../src/daemon/state/state-folder-file.ts';
import { FakeLog } from '../../../support/fakes.ts';

const folder = mkdtempSync(join(tmpdir(), 'egt-state-folder-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a text that takes long to make is made seldom, or nothing else would have its turn', async () => {
  const file = new StateFolderFile(join(folder, 'large.json'), new FakeLog(), {
    what: 'large record',
    pause: 1,
  });
  let made = 0;
  const content = () => {
    const begun = performance.now();
    while (performance.now() - begun < 50);
    return { made: ++made };
  };
  const begun = performance.now();
  while (performance.now() - begun < 500) {
    file.write(content);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(made).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - begun) / (30 * 50)));
  const before = made;
  await file.close();
  expect(made).toBe(before + 1);
});
