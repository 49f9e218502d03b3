/** What registrations were matched with comes back as it was kept, or not at all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { RegistrationsFile } from '../../../../src/daemon/state/registrations-file.ts';
import { FakeLog } from '../../../support/fakes.ts';

let folder: string;
let log: FakeLog;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'egt-registrations-'));
  log = new FakeLog();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('they are kept', async () => {
  const matched = new Map([['web 1 2', ['a', 'b']]]);
  const file = new RegistrationsFile(folder, log);
  expect(await file.load()).toBeUndefined();
  file.save(matched);
  await file.close();
  expect(await new RegistrationsFile(folder, log).load()).toEqual(matched);
});

test('a file of another form counts as none', async () => {
  writeFileSync(join(folder, 'registrations.json'), seal('{"matched":[["web 1 2","a"]]}'));
  expect(await new RegistrationsFile(folder, log).load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([
    'the containers of registered services cannot be used; ignoring the file',
  ]);
});
