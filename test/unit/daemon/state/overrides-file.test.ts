/** What was said by hand comes back as it was kept, or not at all. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seal } from '../../../../src/daemon/state/envelope.ts';
import { OverridesFile } from '../../../../src/daemon/state/overrides-file.ts';
import type { PersistedOverrides } from '../../../../src/features/egress/overrides.ts';
import { FakeLog } from '../../../support/fakes.ts';

const OVERRIDES: PersistedOverrides = new Map([
  ['a@1', { kind: 'set', grants: ['db'], since: 5 }],
  ['b@2', { kind: 'clear', since: 6 }],
]);

let folder: string;
let log: FakeLog;
const path = () => join(folder, 'overrides.json');
const open = () => new OverridesFile(folder, log);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'egt-overrides-'));
  log = new FakeLog();
  const file = open();
  file.save(OVERRIDES);
  await file.close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('it is kept, readable by its owner alone', async () => {
  expect(await open().load()).toEqual(OVERRIDES);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
});

test('where there is none, nothing is said of it', async () => {
  rmSync(path());
  expect(await open().load()).toBeUndefined();
  expect(log.messages('warn')).toEqual([]);
});

test.each([
  ['empty', () => ''],
  ['cut short', (text: string) => text.slice(0, -20)],
  ['altered', (text: string) => text.replace('db', 'all')],
  ['another JSON', () => '[]'],
  ['of words that do not exist', () => seal('{"overrides":[["a@1",{"kind":"open","since":1}]]}')],
])('a file that is %s is ignored with a warning, and replaced by the next word', async (_what, damage) => {
  writeFileSync(path(), damage(readFileSync(path(), 'utf8')));
  const file = open();
  expect(await file.load()).toBeUndefined();
  expect(log.messages('warn')).toEqual(['rules set or cleared by hand cannot be used; ignoring the file']);
  file.save(OVERRIDES);
  await file.close();
  expect(await open().load()).toEqual(OVERRIDES);
});
