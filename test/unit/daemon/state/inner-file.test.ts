/** The namespaces that networks.json has put something into come back as they were kept, or not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { InnerFile } from '../../../../src/daemon/state/inner-file.ts';
import { FakeLog } from '../../../support/fakes.ts';

let folder: string;
let log: FakeLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-inner-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('they are kept', async () => {
  const namespaces = new Set(['vpn@2026-03-03T00:00:00Z']);
  const file = new InnerFile(folder, log);
  expect(await file.load()).toBeUndefined();
  file.save(namespaces);
  await file.close();
  expect(await new InnerFile(folder, log).load()).toEqual(namespaces);
});

test('a file of another form counts as none', async () => {
  writeFileSync(join(folder, 'networks-inner.json'), seal('{"namespaces":"vpn"}'));
  expect(await new InnerFile(folder, log).load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([
    'the containers with rules of networks.json cannot be used; ignoring the file',
  ]);
});
